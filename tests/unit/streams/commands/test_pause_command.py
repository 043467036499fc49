"""What `pause` and `resume` say where Kafka does not take their word; that stages obey it: tests/integration."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from clients.kafka.ranges import RangeError
from streams.replay import actions


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KafkaConnectionError(), "KafkaConnectionError (start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS)"),
        (TopicAuthorizationFailedError(), "(allow Write on topic genesys.actions, and IdempotentWrite on the cluster)"),
        (RangeError("there is no topic: create it"), "there is no topic: create it"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_kafka_does_not_take_is_one_line_with_its_remedy(invoke, monkeypatch, command, error, says):
    async def fails(*_):
        raise error

    monkeypatch.setattr(actions, "write_action", fails)
    result = invoke(command, "sink")
    assert result.exit_code == 2
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("genesys-eventbridge: Kafka does not take it: ")
    assert line.endswith(says)
