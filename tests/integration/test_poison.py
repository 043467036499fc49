"""Whole workers on the embedded broker: poisoned events, a flood of failures, and an operator's word."""

from __future__ import annotations

import json
import shutil
import signal
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from confluent_kafka import Producer

from settings import Settings
from tests import forked, http
from tests.kafka.pipeline import Pipeline, Worker, wait_until

SHIPPED = Settings.model_fields["routes_dir"].default

#: The shipped mapping, broken by what an event says.
POISON = """
($v := payload.poison = "distinct" ? $count($distinct([1..90000]))
     : payload.poison = "range" ? $sum([1..9999999])
     : payload.poison = "memory" ? $length($pad("", 200000000)) : 0;
 $v = 0 ? %s : {})
"""

#: What each may fail with: to fill memory costs CPU time too, and either bound may be met first.
ERRORS = {
    "distinct": {"MappingTimeout"},
    "range": {"MappingTimeout"},
    "memory": {"MappingCrash", "MappingTimeout"},
}
EVENTS = 600
TOKEN = "a-token"


def event(number: int, **payload: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=number)),
        "resourceType": "interaction",
        "eventType": "created",
        "createdTime": "2026-11-23T10:00:00Z",
        "payload": {"type": "voice", "priority": "high"} | payload,
    }


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    folder = tmp_path / "routes"
    shutil.copytree(SHIPPED / "interaction", folder / "interaction")
    mapping = folder / "interaction" / "mapping.jsonata"
    mapping.write_text(POISON % mapping.read_text("utf-8"), "utf-8")
    return folder


@pytest.fixture
def pipeline(broker: str, tmp_path: Path, routes: Path) -> Iterator[Pipeline]:
    settings = {
        "KAFKA_CREATE_TOPICS": "false",
        "ROUTES_DIR": str(routes),
        "MAPPING_TIMEOUT": "0.3",
        "MAPPING_MEMORY_BYTES": str(128 * 1024 * 1024),
        "CLOUDWATCH_ENABLED": "false",
        "SHUTDOWN_GRACE": "2",
        "FLOOD_MIN": "50",
    }
    with Pipeline(broker, tmp_path, settings) as made:
        yield made


def feed(pipeline: Pipeline, events: Iterable[dict[str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "acks": "all"})
    for one in events:
        producer.produce(f"{pipeline.prefix}raw", orjson.dumps(one), one["id"].encode())
    assert producer.flush(60) == 0


def failures(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [orjson.loads(value) for value in pipeline.read("failures")]


def troubles(worker: Worker) -> dict[str, Any]:
    answer = worker.get("/health/ready", TOKEN)
    return answer.json()["troubles"] if answer is not None else {}


def test_poisoned_events_fail_alone_and_the_worker_goes_on(pipeline: Pipeline):
    worker = pipeline.start()
    poisons = {100: "distinct", 101: "memory", 300: "range", 599: "memory"}
    feed(pipeline, (event(n, **({"poison": poisons[n]} if n in poisons else {})) for n in range(EVENTS)))
    wait_until("every event to end", lambda: len(pipeline.bus()) + len(pipeline.read("failures")) >= EVENTS)
    ended = Counter(detail["interactionId"] for detail in pipeline.bus())
    assert ended == Counter(str(uuid.UUID(int=n)) for n in range(EVENTS) if n not in poisons)
    found = {record["originalEvent"]["id"]: record for record in failures(pipeline)}
    assert found.keys() == {str(uuid.UUID(int=n)) for n in poisons}
    for number, poison in poisons.items():
        record = found[str(uuid.UUID(int=number))]
        assert record["stage"] == "transform"
        assert record["error"] in ERRORS[poison]
        assert record["route"] == "interaction"
    assert worker.ready()
    children = psutil.Process(worker.process.pid).children()
    assert [child.status() for child in children].count(psutil.STATUS_ZOMBIE) == 0
    assert len(children) == 1
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert not psutil.pid_exists(children[0].pid)


def test_simulate_is_bounded_too(pipeline: Pipeline, routes: Path):
    # The simulator makes events of a few words; `type` is the one that reaches the mapping as it is.
    mapping = routes / "interaction" / "mapping.jsonata"
    mapping.write_text(mapping.read_text("utf-8").replace("payload.poison", "payload.type"), "utf-8")
    worker = pipeline.start()
    answer = http.post(f"{worker.url}/simulate", json={"type": "range"})
    [interaction] = answer.json()["report"]["routes"]
    assert answer.status_code == 400
    assert (interaction["route"], interaction["error"]) == ("interaction", "MappingTimeout")
    good = http.post(f"{worker.url}/simulate", json={"type": "chat"})
    assert (good.status_code, good.json()["status"]) == (200, "simulated")


def test_a_flood_pauses_the_worker_and_resume_lets_it_go_on(pipeline: Pipeline):
    worker = pipeline.start(WEB_TOKEN=TOKEN)
    feed(pipeline, (event(number, type=7) for number in range(EVENTS)))
    reason = wait_until("the pause", lambda: troubles(worker).get("routes"))["reason"]
    assert "validate/SchemaViolation in route interaction" in reason
    live = worker.answer("/health/live")
    assert live.status_code == 200
    # What came in batches too small to judge by is all that got through.
    assert len(failures(pipeline)) < EVENTS

    assert _resume(pipeline, worker, "a-wrong-one")[0] == 2
    assert troubles(worker).get("routes")
    assert _resume(pipeline, worker, TOKEN) == (0, {"workers": [{"worker": worker.url, "resumed": True}]})
    wait_until("every failure", lambda: len({one["eventId"] for one in failures(pipeline)}) == EVENTS)
    wait_until("health", worker.ready)
    assert _resume(pipeline, worker, TOKEN) == (0, {"workers": [{"worker": worker.url, "resumed": False}]})
    assert not pipeline.bus()


def test_a_paused_worker_stops_in_time_and_loses_nothing(pipeline: Pipeline, routes: Path):
    worker = pipeline.start()
    feed(pipeline, (event(number, type=7) for number in range(EVENTS)))
    wait_until("the pause", lambda: troubles(worker).get("routes"))
    before = len(failures(pipeline))
    worker.signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert len(failures(pipeline)) == before

    schema = routes / "interaction" / "schema.json"  # fixed: any type will do
    loose = orjson.loads(schema.read_bytes())
    loose["properties"]["detail"]["properties"]["type"] = {}
    schema.write_bytes(orjson.dumps(loose))
    shutil.rmtree(routes / "interaction" / "examples")
    pipeline.start()
    known = {record["originalEvent"]["id"] for record in failures(pipeline)}
    wait_until("what was held back", lambda: len(known | {one["interactionId"] for one in pipeline.bus()}) == EVENTS)


def _resume(pipeline: Pipeline, worker: Worker, token: str) -> tuple[int | None, Any]:
    ended = forked.run(["resume", "--url", worker.url, "--json"], pipeline.environment(WEB_TOKEN=token))
    return ended.code, json.loads(ended.out) if ended.out else ended.err
