"""Whole workers on real Apache Kafka: an operator pauses a stage, and nothing is lost, forgotten or disobeyed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from confluent_kafka import Producer

from tests import forked, http
from tests.kafka.pipeline import Pipeline, wait_until

TOKENS = "anna:act:anna's: token,bot:read:bots-token"
Ask = Callable[[str, str], httpx.Client]
ACT, READ = "anna's: token", "bots-token"


@pytest.fixture
def pipeline(kafka: Any, tmp_path: Path) -> Iterator[Pipeline]:
    settings = {
        "CLOUDWATCH_ENABLED": "false",
        "WEB_TOKENS": TOKENS,
        "SHUTDOWN_GRACE": "2",
    }
    with Pipeline(kafka.bootstrap_servers, tmp_path, settings) as made:
        yield made


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Clients of a worker, with a token."""
    with ExitStack() as made:
        yield lambda url, token: made.enter_context(
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        )


def feed(pipeline: Pipeline, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "acks": "all"})
    for number in numbers:
        event = {
            "id": str(uuid.UUID(int=number)), "resourceType": "interaction", "createdTime": "2026-11-23T10:00:00Z",
            "payload": {"type": "voice", "priority": "high"},
        }  # fmt: skip
        producer.produce(f"{pipeline.prefix}raw", orjson.dumps(event), event["id"].encode())
    assert producer.flush(60) == 0


def run(pipeline: Pipeline, *arguments: str) -> Any:
    ended = forked.run([*arguments, "--json"], pipeline.environment())
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_a_paused_stage_loses_nothing_and_a_later_worker_obeys(pipeline: Pipeline, ask: Ask) -> None:
    worker = pipeline.start()
    web = ask(worker.url, ACT)
    feed(pipeline, range(50))
    wait_until("the first events on the bus", lambda: pipeline.on_bus() == 50)

    refused = web.post("/api/pause/sink/", headers={"Authorization": f"Bearer {READ}"})
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert web.post("/api/pause/metrics/").status_code == 404
    assert web.post("/api/pause/sink/", content=b"[").status_code == 400
    paused = web.post("/api/pause/sink/", json={"why": "it moves"}).json()
    assert (paused["paused"], paused["changed"], paused["by"], paused["why"]) == (True, True, "anna", "it moves")
    again = web.post("/api/pause/sink/").json()
    assert (again["changed"], again["since"]) == (False, paused["since"])

    feed(pipeline, range(50, 150))

    def waiting() -> int:
        rows = web.get("/api/lag/").json()["partitions"]
        return sum(row["lag"] for row in rows if row["topic"].endswith("validated"))

    wait_until("the lag of the sink", lambda: waiting() == 100)
    status = web.get("/api/status/").json()
    assert not status["works"]
    assert any("sink is paused by anna" in reason for reason in status["reasons"])
    assert "anna" not in http.get(f"{worker.url}/health/ready").text
    assert "paused by anna" in web.get("/health/ready").json()["paused"]["sink"]
    assert worker.ready()

    later = pipeline.start()
    wait_until("the heir to own something", lambda: any(
        row["name"] == later.url and row["partitions"] for row in web.get("/api/status/").json()["workers"]
    ))  # fmt: skip
    assert (pipeline.on_bus(), waiting()) == (50, 100)

    done = run(pipeline, "resume", "sink")
    assert (done["what"], done["stage"]) == ("resume", "sink")
    wait_until("every event on the bus", lambda: len({one["interactionId"] for one in pipeline.bus()}) == 150)
    wait_until("all to be well", lambda: web.get("/api/status/").json()["works"])
    report = wait_until(
        "the ledger", lambda: found if (found := web.get("/api/report/").json())["inFlight"] == 0 else None
    )
    assert report["balanced"]
    actions = web.get("/api/actions/", params={"range": "1h"}).json()["actions"]
    assert [(one["what"], one["stage"]) for one in actions] == [("resume", "sink"), ("pause", "sink")]
    marks = {mark["kind"] for mark in web.get("/api/history/").json()["marks"]}
    assert {"pause", "resume", "worker-started"} <= marks


def test_a_pause_by_command_holds_a_worker_that_is_not_there_yet(pipeline: Pipeline, ask: Ask) -> None:
    first = pipeline.start()  # makes the topics
    first.stop()
    assert run(pipeline, "pause", "process", "--why", "before the start")["stage"] == "process"
    feed(pipeline, range(20))
    worker = pipeline.start()
    web = ask(worker.url, READ)
    wait_until("the lag", lambda: sum(
        row["lag"] for row in web.get("/api/lag/").json()["partitions"] if row["topic"].endswith("raw")) == 20
    )  # fmt: skip
    assert pipeline.on_bus() == 0
    run(pipeline, "resume", "process")
    wait_until("every event on the bus", lambda: pipeline.on_bus() == 20)
