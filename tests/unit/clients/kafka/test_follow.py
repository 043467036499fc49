"""Tests of what is told while a topic cannot be followed; the reading itself: tests/kafka."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from clients.kafka import follow
from clients.kafka.follow import Follower
from settings import Settings


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (KafkaConnectionError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (TimeoutError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (TopicAuthorizationFailedError(), "allow Describe and Read on it"),
    ],
)
async def test_what_keeps_a_topic_from_being_read_is_told_with_its_remedy(monkeypatch, error, fix):
    told = asyncio.Queue()

    class Unreadable:
        def __init__(self, **options):
            pass

        async def start(self):
            raise error

        async def stop(self):
            pass

    monkeypatch.setattr(follow, "AIOKafkaConsumer", Unreadable)
    nothing = lambda *_: None  # noqa: E731
    follower = Follower(
        Settings(), "genesys.actions", begin=nothing, hear=nothing, caught_up=nothing, on_trouble=told.put_nowait
    )
    following = asyncio.create_task(follower.run())
    try:
        assert await told.get() == f"genesys.actions cannot be read: {type(error).__name__} ({fix})"
    finally:
        following.cancel()
