"""Tests of what the brokers' refusals are told as; what they say of themselves: tests/kafka."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
)

from clients.kafka.cluster import why_refused


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (TopicAuthorizationFailedError(), "allow Read on it"),
        (GroupAuthorizationFailedError(), "allow Read on it"),
        (ClusterAuthorizationFailedError(), "allow Read on it"),
        (KafkaConnectionError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (KafkaTimeoutError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (ConnectionRefusedError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (NotEnoughReplicasError(), "look at the brokers, and by `genesys-eventbridge check`"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_refusal_names_what_to_do(error, fix):
    assert why_refused(error, "Read on it") == f"{type(error).__name__} ({fix})"
