"""Tests of what is told of Kafka: what nobody tells is not called well."""

from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import LeaderNotAvailableError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from settings import Settings
from streams.checks import kafka


@pytest.fixture
def described(monkeypatch):
    """What the brokers tell of topics."""
    given = []

    class Admin:
        async def describe_topics(self, topics):
            return given

    @asynccontextmanager
    async def opened(settings):
        yield Admin()

    monkeypatch.setattr(kafka, "open_admin", opened)
    return given


def topic(name, error=0, replicas=(1, 2, 3)):
    return {"topic": name, "error_code": error, "partitions": [{"replicas": [*replicas], "isr": [*replicas]}]}


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError, LeaderNotAvailableError])
async def test_topics_that_cannot_be_seen_are_not_called_no_topics(described, error):
    described += [topic("raw", error.errno), topic("validated")]
    (found,) = await kafka.check_replicas(Settings(), ["raw", "validated"], 3)
    assert (found.ok, found.detail) == (False, f"cannot be seen: raw ({error.__name__})")


async def test_a_topic_that_is_not_there_yet_is_left_out(described):
    described += [topic("raw", UnknownTopicOrPartitionError.errno), topic("validated")]
    (found,) = await kafka.check_replicas(Settings(), ["raw", "validated"], 3)
    assert (found.ok, found.detail) == (True, "3 of each topic, all in sync")
