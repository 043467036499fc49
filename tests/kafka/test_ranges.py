"""What `replay` and `redrive` say of a topic on real Kafka: what retention took, and the topic of what was redriven."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import ConfigResource

from tests import forked
from tests.kafka import administration

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def prefix():
    return f"r{uuid.uuid4().hex[:8]}."


@pytest.fixture
def run(kafka, prefix, tmp_path):
    """Run a command to its end: exit code, the JSON on stdout, stderr."""
    given = {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "KAFKA_TOPIC_PREFIX": prefix, "GENESYS_SOURCE": "none"}
    env = {**os.environ, **given, "DATA_DIR": str(tmp_path)}

    def runner(*arguments):
        ended = forked.run(arguments, env)
        return ended.code, json.loads(ended.out or "null"), ended.err

    return runner


def produce(kafka, topic, values):
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(60) == 0


def test_offsets_that_kafka_has_deleted_are_told(kafka, run, prefix):
    topic = f"{prefix}raw"
    kafka.create_topics(topic)
    produce(kafka, topic, [b"{}"] * 2000)
    client = administration.admin(kafka.bootstrap_servers)
    for future in client.delete_records([TopicPartition(topic, 0, 1000)]).values():
        future.result(30)

    code, told, err = run("replay", "--from-offset", "0:0", "--to-offset", "0:1500", "--dry-run", "--json")

    assert (code, told["read"]) == (3, 500), err
    assert told["missing"] == [{"partition": 0, "from": 0, "to": 1000, "count": 1000, "why": "expired"}]
    assert f"{topic} partition 0: offsets 0 to 999 (1000) are not there: Kafka has deleted them" in err


def test_the_notes_of_a_redrive_are_a_compacted_topic_that_the_next_one_reads(kafka, run, prefix):
    kafka.create_topics(f"{prefix}failures", f"{prefix}raw")
    failures = [
        {"stage": "validate", "error": "SchemaViolation", "originalEvent": {"id": str(number)}, "eventId": str(number)}
        for number in range(30)
    ]
    produce(kafka, f"{prefix}failures", map(orjson.dumps, failures))

    first, second = run("redrive", "--json"), run("redrive", "--json")

    assert first[0] == second[0] == 0, first[2] + second[2]
    assert first[1]["redriven"] == 30
    assert (second[1]["redriven"], second[1]["redrivenBefore"]) == (0, 30)
    resource = ConfigResource(ConfigResource.Type.TOPIC, f"{prefix}redriven")
    client = administration.admin(kafka.bootstrap_servers)
    [answer] = client.describe_configs([resource]).values()
    assert answer.result(30)["cleanup.policy"].value == "compact"
