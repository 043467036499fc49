"""On real Apache Kafka: a flood pauses every worker of a group, and one word to one of them resumes all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from tests import forked
from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, Worker, wait_until

TOKEN = "a-token"
SCHEMAS = Path(__file__).parents[2] / "schemas"
BROKEN = [number for number in range(4_000) if ledger.fate(number) == "failed"]


@pytest.fixture
def pipeline(kafka, tmp_path: Path):
    settings = {"WEB_TOKEN": TOKEN, "FLOOD_MIN": "20", "SHUTDOWN_GRACE": "2", "CLOUDWATCH_ENABLED": "false"}
    with Pipeline(kafka.bootstrap_servers, tmp_path, settings) as pipeline:
        yield pipeline


def paused(worker: Worker) -> bool:
    answer = worker.get("/health/ready")
    return answer is not None and "routes" in answer.json()["troubles"]


def failed(pipeline: Pipeline) -> int:
    return len({orjson.loads(value)["eventId"] for value in pipeline.read("failures")})


def test_one_word_resumes_every_worker(pipeline: Pipeline):
    workers = [pipeline.start(), pipeline.start()]
    wait_until("both to be ready", lambda: all(worker.ready() for worker in workers))
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "acks": "all"})
    for number in BROKEN:
        key = ledger.interaction(number).encode()
        producer.produce(f"{pipeline.prefix}raw", orjson.dumps(ledger.event(number)), key)
    assert producer.flush(60) == 0
    wait_until("both to pause", lambda: all(paused(worker) for worker in workers))
    assert failed(pipeline) < len(BROKEN)
    # A third one joins while both are paused: what they hold back is delivered again, to whom it may be.
    workers.append(pipeline.start(wait=False))
    wait_until("the third to be there", lambda: workers[2].get("/health/live"))
    told = wait_until("all to be known and none paused", lambda: _all_resumed(pipeline, workers))
    assert all("resumed" in one for one in told), told
    wait_until("every failure", lambda: failed(pipeline) == len(BROKEN))
    assert not pipeline.bus()


def _all_resumed(pipeline: Pipeline, workers: list[Worker]) -> list[dict[str, object]] | None:
    """Say it again until the newest assignment names all three and none has paused since."""
    ended = forked.run(["resume", "--url", workers[0].url, "--json"], pipeline.environment())
    assert ended.code in (0, 1), ended.err
    told: list[dict[str, object]] = json.loads(ended.out)["workers"]
    known = {one["worker"] for one in told} == {worker.url for worker in workers}
    return told if known and ended.code == 0 and not any(map(paused, workers)) else None


def test_a_mended_route_resumes_by_itself_and_takes_what_was_held_back(kafka, tmp_path: Path):
    routes = tmp_path / "routes"
    shutil.copytree(SCHEMAS, routes)
    schema = routes / "interaction" / "schema.json"
    good = schema.read_text()
    shutil.rmtree(routes / "interaction" / "examples")
    schema.write_text(good.replace('"type": "object"', '"type": "object", "minProperties": 99', 1))
    settings = {"ROUTES_DIR": str(routes), "FLOOD_MIN": "20", "CLOUDWATCH_ENABLED": "false"}
    with Pipeline(kafka.bootstrap_servers, tmp_path, settings) as pipeline:
        worker = pipeline.start()
        pipeline.feed(number for number in range(500) if ledger.fate(number) == "published")
        wait_until("it to pause", lambda: paused(worker))
        assert not pipeline.bus()
        schema.write_text(good)
        wait_until("every event on the bus", lambda: pipeline.on_bus() + failed(pipeline) >= 300)
        assert worker.ready()
        assert failed(pipeline) < 100, "only what failed before the limit was reached"
