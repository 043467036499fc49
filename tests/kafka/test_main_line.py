"""The main line on real Apache Kafka: every event is accounted for, whatever becomes of the workers."""

from __future__ import annotations

import signal

import pytest

from tests.kafka.pipeline import Pipeline, wait_until

EVENTS = 5_000

#: Whoever writes to `raw` may compress.
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def test_two_workers_account_for_every_event(pipeline: Pipeline):
    first, second = pipeline.start(), pipeline.start()
    for turn, codec in enumerate(CODECS):
        pipeline.feed(range(turn * EVENTS // len(CODECS), (turn + 1) * EVENTS // len(CODECS)), codec)
    account = pipeline.settled(EVENTS)
    assert (account.lost, account.wrong, account.unmirrored) == ((), (), ()), account
    assert account.duplicates == 0
    assert account.disorder == 0
    wanted = {"filtered": EVENTS * 3 // 10, "published": EVENTS * 6 // 10, "failed": EVENTS // 10}

    def counted(worker):
        answer = worker.get("/api/report/")
        report = answer.json() if answer is not None and answer.status_code == 200 else {}
        return {name: report.get(name) for name in wanted} == wanted

    for worker in (first, second):  # one of them owns the tables, the other one asks it
        wait_until(f"the report of {worker.name}", lambda worker=worker: counted(worker))


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_worker_that_goes_mid_flow_loses_nothing(pipeline: Pipeline, stop: signal.Signals):
    gone = pipeline.start()
    pipeline.start()
    pipeline.feed(range(EVENTS // 2))
    wait_until("the flow to begin", lambda: pipeline.on_bus() > EVENTS // 20)
    gone.signal(stop)
    pipeline.feed(range(EVENTS // 2, EVENTS))
    code = gone.wait()
    account = pipeline.settled(EVENTS)
    assert (account.lost, account.wrong, account.unmirrored) == ((), (), ()), account
    assert code == (0 if stop is signal.SIGTERM else -signal.SIGKILL), gone.tail()
