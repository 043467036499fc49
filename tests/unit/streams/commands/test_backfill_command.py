"""Tests of the command `backfill`: from the emulator's analytics query to `raw` on the embedded broker."""

import json
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition

from emulators.kafka import PARTITIONS, EmbeddedKafka
from processors.event.identity import derive_event_id, is_uuid
from settings import SettingsError
from tests import http


@pytest.fixture(scope="module")
def broker():
    with EmbeddedKafka() as kafka:
        yield kafka.bootstrap_servers


@pytest.fixture(scope="module")
def past():
    """Settings of an organisation in which some conversations have been, and nothing happens any more."""
    command = [sys.executable, "-m", "emulators.genesys", "--port", "0", "--conversation-rate", "50"]
    with subprocess.Popen([*command, "--pace", "0.05"], stdout=subprocess.PIPE) as process:
        announced = json.loads(process.stdout.readline())
        listen(announced)  # the emulator's time begins with its first channel
        wait_for_conversations(announced["url"], 60)
        http.post(f"{announced['url']}/_emulator/finish").raise_for_status()
        yield {
            "GENESYS_BASE_URL": announced["url"],
            "GENESYS_CLIENT_ID": announced["clientId"],
            "GENESYS_CLIENT_SECRET": announced["clientSecret"],
        }
        process.terminate()


def listen(announced):
    credentials = (announced["clientId"], announced["clientSecret"])
    grant = {"grant_type": "client_credentials"}
    token = http.post(f"{announced['url']}/oauth/token", auth=credentials, data=grant).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    http.post(f"{announced['url']}/api/v2/notifications/channels", headers=headers).raise_for_status()


def wait_for_conversations(url, number):
    ends = time.monotonic() + 30
    while http.get(f"{url}/_emulator/summary").json()["notifications"]["conversations"] < number:
        assert time.monotonic() < ends, "the emulator has no conversations"
        time.sleep(0.05)  # between two looks at the condition


@pytest.fixture
def kafka(broker):
    """Settings of topics that no other test has."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_CREATE_TOPICS": "false",
        "KAFKA_TOPIC_PREFIX": f"t{uuid.uuid4().hex[:8]}.",
    }


def raw(kafka, topic="raw"):
    """Records of `raw`, or of another topic, as (key, value, headers)."""
    options = {"bootstrap.servers": kafka["KAFKA_BOOTSTRAP_SERVERS"], "group.id": uuid.uuid4().hex}
    consumer = Consumer(options | {"enable.partition.eof": True, "auto.offset.reset": "earliest"})
    name = f"{kafka['KAFKA_TOPIC_PREFIX']}{topic}"
    consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
    records, ended = [], 0
    while ended < PARTITIONS:
        message = consumer.poll(10)
        assert message is not None, "the broker gives nothing"
        if message.error():
            ended += 1
        else:
            records.append((message.key(), json.loads(message.value()), dict(message.headers())))
    consumer.close()
    return records


def test_the_past_stands_in_raw_as_the_source_would_have_written_it(invoke, past, kafka):
    result = invoke("backfill", "--since", "1h", "--json", **past, **kafka)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    records = raw(kafka)
    assert told["read"] == told["written"] == len(records) > 60
    for key, envelope, headers in records:
        assert envelope["backfilled"] is True
        body = envelope["eventBody"]
        assert set(envelope.get("queue", ())) == ({"id", "name"} if {"queueId", "id"} & set(body) else set())
        assert key.decode() == (body["conversationId"] if "derived" in envelope else body["id"])
        assert headers["event-id"].decode() == derive_event_id(envelope)
        assert is_uuid(headers["event-id"].decode())
        assert abs(int(headers["received-at"]) - time.time() * 1000) < 600_000
    assert len({headers["event-id"] for _, _, headers in records}) == len(records), "an event came twice"


def test_the_same_stretch_gives_the_same_events(invoke, past, kafka):
    for _ in range(2):
        assert invoke("backfill", "--since", "1h", **past, **kafka).exit_code == 0
    ids = [headers["event-id"] for _, _, headers in raw(kafka)]
    assert len(ids) == 2 * len(set(ids))


def test_what_cannot_go_to_raw_gets_a_failure_record(invoke, past, kafka):
    strict = {"REDACT_FIELDS": "eventBody.none", "GENESYS_MAX_LINE_BYTES": "1000"} | past
    told = json.loads(invoke("backfill", "--since", "1h", "--json", **strict, **kafka).stdout)
    assert told["failed"] > 0
    assert told["read"] == told["written"] + told["failed"]
    assert len(raw(kafka)) == told["written"]
    failures = raw(kafka, "failures")
    assert len(failures) == told["failed"]
    for key, record, headers in failures:
        assert (key, record["stage"], record["error"]) == (None, "source", "LineTooLong")
        assert record["originalEvent"] is None
        assert set(headers) == {"received-at"}
    rehearsed = invoke("backfill", "--since", "1h", "--dry-run", **strict)
    assert f"0 written to raw, {told['failed']} failed; nothing was written" in rehearsed.stdout


def test_a_dry_run_needs_no_kafka_and_writes_nothing(invoke, past):
    result = invoke("backfill", "--since", "1h", "--dry-run", "--json", **past)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["read"] > 60
    assert told["written"] == 0


def test_topics_that_the_query_does_not_tell_are_named(invoke, past):
    topics = "v2.routing.queues.{queue}.conversations,v2.users.{user}.presence"
    told = {"GENESYS_TOPICS": topics, "GENESYS_USERS": "Ada*"} | past
    result = invoke("backfill", "--since", "1h", "--dry-run", "--json", **told)
    assert json.loads(result.stdout)["notTold"] == ["v2.users.{id}.presence"]
    result = invoke("backfill", "--since", "1h", "--dry-run", **told)
    assert "does not report what these topics bring: v2.users.{id}.presence" in result.stdout


def test_a_stretch_in_which_nothing_was_gives_nothing(invoke, past):
    result = invoke("backfill", "--since", "2h", "--until", "1h", "--dry-run", "--json", **past)
    assert json.loads(result.stdout) == {"read": 0, "written": 0, "failed": 0}


def test_events_that_kafka_refuses_are_not_counted_and_the_way_on_is_told(invoke, past, kafka, monkeypatch):
    async def refuse(self, records):
        return [None] + ["raw does not take records: NotEnoughReplicasError"] * (len(records) - 1)

    monkeypatch.setattr("clients.kafka.writer.Writer.write", refuse)
    result = invoke("backfill", "--since", "1h", "--json", **past, **kafka)
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["written"] == 1 < told["read"]
    assert "NotEnoughReplicasError" in told["stopped"]
    assert told["resume"].startswith("genesys-eventbridge backfill --since 20")


def test_kafka_away_is_one_line(invoke, past):
    result = invoke("backfill", "--since", "1h", **past)
    assert result.exit_code == 2
    assert "no Kafka broker answers" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_permission_is_named(invoke, past):
    control = f"{past['GENESYS_BASE_URL']}/_emulator/permissions"
    every = ["routing:queue:view", "directory:user:view", "conversation:communication:view"]
    http.put(control, json={"permissions": every}).raise_for_status()
    try:
        result = invoke("backfill", "--since", "1h", "--dry-run", **past)
    finally:
        http.put(control, json={"permissions": [*every, "analytics:conversationDetail:view"]})
    assert result.exit_code == 2
    assert "analytics:conversationDetail:view" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--since", "1h", "--until", "2h"], ["--since", "2999-01-01"], ["--since", "soon"], []]
)
def test_a_stretch_that_cannot_be_is_a_usage_error(invoke, arguments):
    result = invoke("backfill", *arguments)
    assert result.exit_code == 2
    assert "since" in result.stderr


def test_missing_credentials_are_named(invoke):
    result = invoke("backfill", "--since", "1h")
    assert isinstance(result.exception, SettingsError)
