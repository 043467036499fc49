"""The retention of an older changelog, on real Kafka: raised, with what else the topic was given left as it was."""

from __future__ import annotations

import asyncio
import uuid

from confluent_kafka.admin import ConfigResource

from clients.kafka.retention import keep_long_enough
from settings import load_settings
from tests.kafka import administration
from tests.kafka.pipeline import wait_until

GIVEN = {"retention.ms": "660000", "segment.ms": "165000", "cleanup.policy": "delete"}


def configuration(kafka, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    client = administration.admin(kafka.bootstrap_servers)
    [answer] = client.describe_configs([resource]).values()
    return {name: entry.value for name, entry in answer.result(10).items() if name in GIVEN}


def test_a_shorter_retention_is_raised_and_nothing_else(kafka):
    topic = f"{uuid.uuid4()}-recent-changelog"
    kafka.create_topics(topic, configuration=GIVEN)
    settings = load_settings(kafka_bootstrap_servers=kafka.bootstrap_servers)
    asyncio.run(keep_long_enough(settings, {topic: 3_660_000}))
    # The controller answers before the brokers have heard of it.
    wait_until("the retention", lambda: configuration(kafka, topic) != GIVEN)
    assert configuration(kafka, topic) == GIVEN | {"retention.ms": "3660000"}
