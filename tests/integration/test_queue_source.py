"""A whole worker that reads the queue of Genesys' own integration, on the embedded broker and the AWS emulator."""

from __future__ import annotations

import copy
import uuid
from pathlib import Path

import boto3
import orjson
import pytest

from emulators.kafka import EmbeddedKafka
from processors.event.identity import derive_event_id
from tests import http
from tests.kafka.pipeline import Pipeline, wait_until

pytestmark = pytest.mark.integration

CASE = Path(__file__).parents[1] / "cases" / "genesys" / "7" / "eventbridge-envelope.json"
EVENTS = 120
BAD = ["no event", "[1, 2]", '{"half":']


def envelopes() -> list[str]:
    """The captured envelope, as that of so many conversations."""
    made = []
    for _ in range(EVENTS):
        envelope = copy.deepcopy(orjson.loads(CASE.read_bytes()))
        conversation = str(uuid.uuid4())
        envelope["id"] = str(uuid.uuid4())
        envelope["detail"]["topicName"] = f"v2.detail.events.conversation.{conversation}.customer.start"
        envelope["detail"]["eventBody"]["conversationId"] = conversation
        made.append(orjson.dumps(envelope).decode())
    return made


@pytest.fixture
def pipeline(tmp_path: Path):
    with EmbeddedKafka() as kafka, Pipeline(kafka.bootstrap_servers, tmp_path, dict(kafka.environment)) as pipeline:
        http.post(f"{pipeline.aws}/_emulator/queues", json={"name": "events"}).raise_for_status()
        yield pipeline


@pytest.fixture
def send(pipeline: Pipeline):
    keys = {"aws_access_key_id": "genesys", "aws_secret_access_key": "genesys"}
    client = boto3.client("sqs", "us-east-1", endpoint_url=pipeline.aws, **keys)
    url = client.get_queue_url(QueueName="events")["QueueUrl"]

    def put(*bodies: str) -> str:
        for body in bodies:
            client.send_message(QueueUrl=url, MessageBody=body)
        return url

    return put


def test_events_reach_raw_and_leave_the_queue_and_what_is_none_is_a_failure(pipeline: Pipeline, send) -> None:
    sent = envelopes()
    url = send(*sent, *BAD)
    worker = pipeline.start(GENESYS_SOURCE=f"sqs:{url}")
    wait_until("the queue to be empty", lambda: not pipeline.inspect("queues/events/messages")["messages"])
    notifications = [orjson.loads(text)["detail"] for text in sent]
    in_raw = {dict(record.headers())["event-id"].decode() for record in pipeline.records("raw")}
    assert in_raw == {derive_event_id(one) for one in notifications}, "the ids are those that sockets would give"
    wait_until("all to be on the bus", lambda: pipeline.on_bus() == EVENTS)
    assert {one["conversationId"] for one in pipeline.bus()} == {
        one["eventBody"]["conversationId"] for one in notifications
    }
    failures = [orjson.loads(value) for value in pipeline.read("failures")]
    assert sum(one["stage"] == "source" for one in failures) == len(BAD) + 1  # `[1, 2]` is two that are none
    assert worker.process.poll() is None


def test_an_outage_of_sqs_is_told_and_waited_out(pipeline: Pipeline, send) -> None:
    url = send()
    worker = pipeline.start(GENESYS_SOURCE=f"sqs:{url}")
    pipeline.aws_faults({"requests": [{"kind": "unavailable", "service": "sqs", "share": 1.0}]})

    def told() -> bool:
        return "GENESYS_SOURCE" in http.get(f"{worker.url}/health/ready").text

    wait_until("health to say so", told)
    pipeline.aws_faults(None)
    send(*envelopes()[:5])
    wait_until("all to be in raw", lambda: len(pipeline.read("raw")) == 5)
    wait_until("the queue to be empty", lambda: not pipeline.inspect("queues/events/messages")["messages"])
    wait_until("health to be good", lambda: not told())


def test_a_worker_that_stops_hands_the_rest_to_the_others_at_once(pipeline: Pipeline, send) -> None:
    sent = [text for _ in range(8) for text in envelopes()]
    url = send(*sent)
    pipeline.aws_faults({"requests": [{"kind": "slow", "service": "sqs", "share": 1.0, "latency_ms": 300}]})
    first = pipeline.start(GENESYS_SOURCE=f"sqs:{url}", wait=False)
    wait_until("something to be in raw", lambda: len(pipeline.read("raw")) > 0)
    first.process.terminate()
    assert first.process.wait(60) == 0
    left = pipeline.inspect("queues/events/messages")["messages"]
    assert left, "all were taken before the stop"
    assert {message["state"] for message in left} == {"visible"}
    pipeline.aws_faults(None)
    pipeline.start(GENESYS_SOURCE=f"sqs:{url}")
    wait_until("the queue to be empty", lambda: not pipeline.inspect("queues/events/messages")["messages"])
    ids = [dict(record.headers())["event-id"].decode() for record in pipeline.records("raw")]
    assert set(ids) == {derive_event_id(orjson.loads(text)["detail"]) for text in sent}
    assert len(ids) == len(sent), "nothing came twice"
