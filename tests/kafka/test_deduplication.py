"""Events that come again, on real Kafka: dropped and counted, also by the worker that takes over."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, wait_until

EVENTS = 600
PUBLISHED = sum(ledger.fate(number) == "published" for number in range(EVENTS))


def counted(pipeline: Pipeline, name: str) -> int:
    """A number of the group's report, from whichever worker answers."""
    for worker in pipeline.workers:
        answer = worker.get("/api/report/")
        if answer is not None and answer.status_code == 200:
            return int(answer.json()[name])
    return 0


def test_a_replay_into_a_live_pipeline_puts_nothing_on_the_bus_again(kafka, tmp_path: Path):
    with Pipeline(kafka.bootstrap_servers, tmp_path) as pipeline:
        first, second = pipeline.start(), pipeline.start()
        pipeline.feed(range(EVENTS))
        pipeline.settled(EVENTS)
        pipeline.feed(range(EVENTS))
        wait_until("repetitions to be counted", lambda: counted(pipeline, "repeated") >= PUBLISHED)

        wait_until("rows to be acked", lambda: counted(pipeline, "filtered") >= 2 * EVENTS * 3 // 10)
        first.signal(signal.SIGKILL)
        first.wait()
        pipeline.feed(range(EVENTS))
        wait_until("the heir to count them", lambda: counted(pipeline, "repeated") >= 2 * PUBLISHED)
        account = pipeline.account(EVENTS)
        assert (account.lost, account.duplicates) == ((), 0), account
        assert second.ready()


def test_turned_off_a_replay_is_published_again(kafka, tmp_path: Path):
    with Pipeline(kafka.bootstrap_servers, tmp_path, {"DEDUPLICATION_WINDOW": "0"}) as pipeline:
        pipeline.start()
        for _ in range(2):
            pipeline.feed(range(EVENTS // 10))
        wait_until("both times", lambda: pipeline.on_bus() >= 2 * PUBLISHED // 10)
        assert pipeline.account(EVENTS // 10).duplicates == PUBLISHED // 10
