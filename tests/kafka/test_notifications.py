"""The notification source on real Apache Kafka: parts are shared, taken over, what is missed is healed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.kafka.conversations import Genesys, account
from tests.kafka.pipeline import Pipeline, Worker, wait_until

PARTS = 3
QUEUES = 9
TAKEOVER_S = 30.0


@pytest.fixture
def pipeline(kafka, tmp_path: Path) -> Iterator[Pipeline]:
    quick = {"GENESYS_BACKFILL_DELAYS": "2,4", "GENESYS_HEARTBEAT_TIMEOUT": "5", "GENESYS_SHARDS": str(PARTS)}
    with Pipeline(kafka.bootstrap_servers, tmp_path, quick) as pipeline:
        yield pipeline


@pytest.fixture
def genesys(pipeline: Pipeline) -> Genesys:
    """Nothing happens until the rate is set: what happens before somebody listens is nobody's to hear."""
    arguments = ["--conversation-rate", "0", "--heartbeat-seconds", "1", "--api-limit", "10000"]
    genesys = Genesys.of(pipeline.emulator("genesys", arguments))
    pipeline.settings.update(genesys.settings)
    return genesys


def topics_heard(worker: Worker) -> list[int]:
    """The number of topics of each socket that a worker has ever opened."""
    lines = [json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{")]
    return [line["topics"] for line in lines if line["event"] == "genesys.socket.opened"]


def gaps(worker: Worker) -> list[dict[str, Any]]:
    answer = worker.get("/api/tables/gaps/")
    return answer.json()["rows"] if answer is not None and answer.status_code == 200 else [{"state": "open"}]


def queue_topics(genesys: Genesys) -> set[str]:
    return set(genesys.listened())


def test_two_workers_share_the_parts_and_follow_new_queues(pipeline: Pipeline, genesys: Genesys):
    pipeline.settings |= {"GENESYS_QUEUE_REFRESH": "1", "GENESYS_EVENTS": "snapshots"}
    first, second = pipeline.start(), pipeline.start()

    def shared() -> bool:
        listened = genesys.listened()
        return len(genesys.sockets()) == PARTS and len(listened) == QUEUES == len(set(listened))

    wait_until("every topic to be on one of three sockets", shared)
    wait_until("both workers to listen", lambda: topics_heard(first) and topics_heard(second))
    added = genesys.tell("POST", "queues", name="Opened Today")["id"]
    topic = f"v2.routing.queues.{added}.conversations"
    wait_until("the new queue to be listened to", lambda: genesys.listened().count(topic) == 1)
    conversation = {
        "id": "7d9f0d0c-7a0e-4a3e-8b56-4f3a3c0d9e11",
        "participants": [{"id": "p", "purpose": "acd"}],
    }
    genesys.tell("POST", "emit", topicName=topic, eventBody=conversation)
    wait_until("its event to be in Kafka", lambda: pipeline.read("raw"))
    event = orjson.loads(pipeline.read("raw")[0])
    assert (event["topicName"], event["queue"]) == (topic, {"id": added, "name": "Opened Today"})
    assert "another connection to this channel" not in genesys.inspect("summary")["notifications"]["ends"]


def test_a_killed_owner_is_followed_within_30_s_and_its_gap_is_healed(pipeline: Pipeline, genesys: Genesys):
    first, second = pipeline.start(), pipeline.start()
    wait_until("three sockets", lambda: len(genesys.sockets()) == PARTS and topics_heard(second))
    topics = queue_topics(genesys)
    genesys.tell("PUT", "rate", rate=150)
    wait_until("the flow to begin", lambda: pipeline.on_bus() > 100)
    first.signal(signal.SIGKILL)
    killed = time.monotonic()
    wait_until("the dead worker's sockets to end", lambda: len(genesys.sockets()) < PARTS, 10)
    wait_until("the other worker to listen to all", lambda: len(genesys.sockets()) == PARTS, TAKEOVER_S)
    print(f"taken over after {time.monotonic() - killed:.1f} s")
    genesys.tell("POST", "finish")
    found = wait_until("the gap to be recorded", lambda: [row for row in gaps(second) if "part" in row])
    wait_until("every gap to be healed", lambda: {row["state"] for row in gaps(second)} == {"healed"})
    found = gaps(second)
    assert any(row["end_ms"] - row["start_ms"] > 5_000 and row["events"] for row in found), found
    wait_until("all to be on the bus", lambda: not account(pipeline, genesys, topics).lost)
    final = account(pipeline, genesys, topics)
    print(final)
    assert final.states > 300
    assert final.unheard == ()
    assert final.same_state == (), "the new owner did not know what the old one had sent"


def test_bad_frames_are_reported_or_counted_and_the_socket_stays(pipeline: Pipeline, genesys: Genesys):
    pipeline.settings |= {"GENESYS_SHARDS": "1", "GENESYS_EVENTS": "snapshots"}
    worker = pipeline.start()
    topic = wait_until("a socket", genesys.listened)[0]
    names = ("malformed", "binary", "huge_frame", "unknown_topic", "no_ids")
    genesys.tell("PUT", "faults", **{f"{name}_every": 1 for name in names})
    genesys.tell("POST", "emit", topicName=topic, eventBody=snapshot("connected"))
    genesys.tell("PUT", "faults")
    genesys.tell("POST", "emit", topicName=topic, eventBody=snapshot("terminated"))
    wanted = {"ingested": 7, "published": 2, "filtered": 2, "failed": 3}

    def report() -> dict[str, Any]:
        answer = worker.get("/api/report/")
        found = answer.json() if answer is not None and answer.status_code == 200 else {}
        return {name: found.get(name) for name in wanted}

    wait_until("all frames to be accounted for", lambda: report() == wanted)
    errors = [json.loads(record)["error"] for record in pipeline.read("failures")]
    assert sorted(errors) == ["LineTooLong", "MalformedJSON", "MalformedJSON"]
    assert {detail["participants"][0]["state"] for detail in pipeline.bus()} == {"connected", "terminated"}
    notifications = genesys.inspect("summary")["notifications"]
    assert notifications["ends"] == {}
    assert notifications["channels"]["created"] == 1


def snapshot(state: str) -> dict[str, Any]:
    agent = {
        "id": "p",
        "purpose": "agent",
        "connectedTime": "2026-11-23T10:00:00.000Z",
        "calls": [{"state": state}],
    }
    return {"id": "7d9f0d0c-7a0e-4a3e-8b56-4f3a3c0d9e11", "participants": [agent]}
