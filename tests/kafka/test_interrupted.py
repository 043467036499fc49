"""Commands that are interrupted and run again, on real Apache Kafka: each event once in the report, once on the bus.

`REPLAYED_EVENTS` and `REDRIVEN_EVENTS` make them larger: 200000 and 10000 is what is promised.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from tests import forked
from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, wait_until

ROOT = Path(__file__).resolve().parents[2]

REPLAYED = int(os.environ.get("REPLAYED_EVENTS", "20000"))
REDRIVEN = int(os.environ.get("REDRIVEN_EVENTS", "1500"))

#: Records that are in flight when a command is killed: of a replay a chunk, of a redrive what is noted at once.
IN_FLIGHT = {"replay": 500, "redrive": 100}


def start(pipeline: Pipeline, *arguments: str) -> forked.Process:
    out, err = (pipeline.folder / f"{uuid.uuid4()}.{name}" for name in ("out", "err"))
    return forked.start("streams", [*arguments, "--json"], pipeline.environment(), out, err)


def ended(process: forked.Process, code: int) -> Any:
    assert process.wait(600) == code, process.err.read_text("utf-8", "replace")
    out = process.out.read_bytes()
    return json.loads(out) if out else None


def written(pipeline: Pipeline, topic: str) -> int:
    """Offsets of a topic."""
    consumer = Consumer({"bootstrap.servers": pipeline.bootstrap_servers, "group.id": "nobody"})
    name = f"{pipeline.prefix}{topic}"
    known = consumer.list_topics(name, 10).topics[name].partitions
    total = sum(consumer.get_watermark_offsets(TopicPartition(name, part), 10)[1] for part in known)
    consumer.close()
    return total


def test_a_replay_that_is_interrupted_five_times_tells_each_event_once(kafka, pipeline: Pipeline):
    raw, copy = f"{pipeline.prefix}raw", f"{pipeline.prefix}copy"
    kafka.create_topics(raw, copy, partitions=4)
    pipeline.feed(range(REPLAYED))
    arguments = ("replay", "--into", copy, "--rate", str(REPLAYED // 14), "--resume")
    signals = [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGHUP, signal.SIGTERM]
    for number, kind in enumerate(signals, start=1):
        process = start(pipeline, *arguments)
        share = REPLAYED * number // 12  # more than half of it is left when the last signal comes
        wait_until(f"{share} events to be written", lambda share=share: written(pipeline, "copy") >= share, 300)
        process.send_signal(kind)
        told = ended(process, -kind if kind == signal.SIGKILL else 1)
        if told is not None:
            assert "--from-offset" in told["resume"] or "resume" in told
    told = ended(start(pipeline, *arguments), 0)
    assert (told["read"], told["written"]) == (REPLAYED, REPLAYED), "each event once in the report"
    numbers = Counter(ledger.number_of(orjson.loads(value)["createdTime"]) for value in pipeline.read("copy"))
    assert set(numbers) == set(range(REPLAYED))
    assert numbers.total() - REPLAYED <= IN_FLIGHT["replay"], "only what was in flight at the kill comes twice"


def failures(pipeline: Pipeline, number: int) -> None:
    """Write so many failures of publish to the topic."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "acks": "all", "linger.ms": 5})
    for one in range(number):
        mapped = {
            "source": "genesys.cloud",
            "detail-type": "interaction.event",
            "detail": {"eventId": f"e-{one}", "number": one},
            "time": "2026-11-25T10:00:00Z",
            "resources": [],
            "id": f"e-{one}",
        }
        record = {
            "originalEvent": ledger.event(one), "error": "InternalFailure", "timestamp": "2026-11-25T10:00:00.000Z",
            "retryAttempt": 5, "stage": "publish", "message": "no", "details": [], "route": "interaction",
            "eventId": f"e-{one}", "origin": {"topic": f"{pipeline.prefix}raw", "partition": 0, "offset": one},
            "transformedEvent": mapped,
        }  # fmt: skip
        headers = [("event-id", f"e-{one}".encode()), ("route", b"interaction")]
        producer.produce(f"{pipeline.prefix}failures", orjson.dumps(record), f"k-{one}".encode(), headers=headers)
        producer.poll(0)
    assert not producer.flush(60)


def test_a_redrive_that_was_killed_and_is_run_again_puts_each_event_on_the_bus_once(pipeline: Pipeline):
    worker = pipeline.start()
    failures(pipeline, REDRIVEN)
    arguments = ("redrive", "--stage", "publish", "--rate", str(max(300, REDRIVEN // 10)))
    process = start(pipeline, *arguments)
    wait_until("half of them to be written", lambda: written(pipeline, "validated") >= REDRIVEN // 2, 300)
    process.kill()
    process.wait()
    told = ended(start(pipeline, *arguments, "--yes"), 0)
    in_flight = told["redriven"] + told["redrivenBefore"] - REDRIVEN
    assert in_flight == 0, told
    wait_until("all to be on the bus", lambda: pipeline.on_bus() >= REDRIVEN, 300)

    def rests() -> bool:
        answer = worker.get("/api/report/")
        return answer is not None and answer.status_code == 200 and not answer.json()["inFlight"]

    wait_until("nothing to be in flight", rests)
    numbers = Counter(detail["number"] for detail in pipeline.bus())
    assert set(numbers) == set(range(REDRIVEN))
    assert numbers.total() == REDRIVEN, "what the kill repeated the sink has dropped"
    answer = worker.answer("/api/report/")
    repeated = written(pipeline, "validated") - REDRIVEN
    assert 0 <= repeated <= IN_FLIGHT["redrive"]
    assert answer.json()["repeated"] == repeated
    again = ended(start(pipeline, *arguments, "--yes"), 0)
    assert again["redriven"] == 0
    assert again["redrivenBefore"] == REDRIVEN
    ended(start(pipeline, *arguments, "--yes", "--limit", "5", "--again"), 0)
    wait_until("what is forced to be on the bus again", lambda: pipeline.on_bus() == REDRIVEN + 5)


def test_a_redrive_that_is_to_stop_does_so_when_an_event_fails_again(pipeline: Pipeline):
    pipeline.start()
    pipeline.feed([9, 19, 29])  # without a priority they break their schema, now and again
    wait_until("them to fail", lambda: len(pipeline.read("failures")) == 3)
    told = ended(start(pipeline, "redrive", "--on-failure", "stop", "--rate", "4", "--yes"), 1)
    assert told["failedAgain"] >= 1
    assert "failed again" in told["stopped"]
    assert "--on-failure stop" in told["resume"]
    wait_until("those to be in the topic", lambda: len(pipeline.read("failures")) == 3 + told["redriven"])
    told = ended(start(pipeline, "redrive", "--yes"), 0)
    assert "failedAgain" not in told
    failures(pipeline, 3)
    told = ended(start(pipeline, "redrive", "--stage", "publish", "--on-failure", "stop", "--yes"), 0)
    assert (told["redriven"], told["failedAgain"]) == (3, 0)
    assert pipeline.on_bus() == 3


def test_routes_are_compared_with_those_that_a_worker_runs(pipeline: Pipeline, tmp_path: Path):
    """The folder of the command is another one: it is not what made the events."""
    new, local = tmp_path / "new", tmp_path / "local"
    for folder in (new, local):
        shutil.copytree(ROOT / "schemas", folder)
    mapping = local / "interaction" / "mapping.jsonata"
    mapping.write_text(mapping.read_text().replace('"interaction.event"', '"another.event"'))
    worker = pipeline.start()
    pipeline.feed(range(10))
    assert pipeline.settled(10).clean
    arguments = ("replay", "--dry-run", "--routes-dir", str(new))
    pipeline.settings["ROUTES_DIR"] = str(local)
    told = ended(start(pipeline, *arguments, "--url", worker.url), 0)
    assert told["against"]["worker"] == worker.url
    assert told["against"]["version"]
    assert (told["changed"], told["unchanged"]) == (0, 10)
    ended(start(pipeline, *arguments, "--url", "http://127.0.0.1:1"), 2)


def test_a_replay_leaves_out_what_a_transaction_took_back(kafka, pipeline: Pipeline):
    raw, copy = f"{pipeline.prefix}raw", f"{pipeline.prefix}copy"
    kafka.create_topics(raw, copy, partitions=1)
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "transactional.id": pipeline.prefix})
    producer.init_transactions(30)
    for number, commits in enumerate((True, False, True)):
        producer.begin_transaction()
        producer.produce(raw, orjson.dumps(ledger.event(number)), b"k")
        producer.flush(30)
        producer.commit_transaction(30) if commits else producer.abort_transaction(30)
    told = ended(start(pipeline, "replay", "--into", copy), 0)
    assert (told["read"], told["written"]) == (2, 2)
    numbers = [ledger.number_of(orjson.loads(value)["createdTime"]) for value in pipeline.read("copy")]
    assert numbers == [0, 2]
