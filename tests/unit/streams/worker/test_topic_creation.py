"""This module tests what a start does when brokers go away in the middle of it."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from clients.kafka.cluster import Cluster
from settings import SettingsError, load_settings
from streams.topology import needed_topics
from streams.worker import topic_creation


@pytest.fixture
def answers(monkeypatch):
    """What the brokers answer, one after another."""
    given = []

    async def describe(settings, touch=()):
        answer = given.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def at_once(seconds):
        pass

    monkeypatch.setattr(topic_creation.cluster, "describe", describe)
    monkeypatch.setattr(asyncio, "sleep", at_once)
    return given


async def test_brokers_that_go_away_before_all_topics_are_seen_are_waited_for(answers):
    answers += [Cluster(1, {}), KafkaConnectionError("gone"), Cluster(1, {"raw": 4})]
    assert await topic_creation._present(load_settings(), ["raw"]) == {"raw": 4}
    assert answers == []


async def test_topics_that_may_not_be_seen_end_the_start_with_what_to_do(answers):
    answers.append(TopicAuthorizationFailedError("raw"))
    with pytest.raises(SettingsError, match=r"the topics cannot be seen: TopicAuthorization.*allow Describe on them"):
        await topic_creation._present(load_settings(), ["raw"])


async def test_brokers_that_stay_away_end_the_start_after_a_minute(answers, monkeypatch):
    monkeypatch.setattr(topic_creation, "PATIENCE_S", -1.0)
    answers.append(KafkaConnectionError("gone"))
    with pytest.raises(SettingsError, match="start Kafka"):
        await topic_creation._present(load_settings(), ["raw"])


async def test_a_topic_that_another_worker_was_quicker_to_make_has_the_partitions_that_it_has(answers, monkeypatch):
    settings, made, added = load_settings(), [], []
    needed = dict.fromkeys(needed_topics(settings), 3)
    answers += [Cluster(1, needed), Cluster(1, needed)]

    async def create(settings, name, partitions, replicas, configs):
        made.append(name)

    async def add(settings, wanted):
        added.append(wanted)

    async def kept(settings, wanted_ms):
        pass

    monkeypatch.setattr(topic_creation.admin, "create_topic", create)
    monkeypatch.setattr(topic_creation.admin, "add_partitions", add)
    monkeypatch.setattr(topic_creation, "keep_long_enough", kept)
    raw = settings.topic("raw")
    await topic_creation.create_topics(settings, Cluster(1, {name: 3 for name in needed if name != raw}))
    assert (made, added) == ([raw], []), f"{settings.kafka_topic_partitions} partitions are a wish"
