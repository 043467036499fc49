"""This module tests the look at topics: rights, creation, partitions and configurations, as brokers would tell them."""

from __future__ import annotations

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from clients.kafka.cluster import Cluster
from clients.kafka.rights import TopicRights
from settings import load_settings
from streams.checks import topics as module
from streams.checks.topics import check_topics
from streams.topology import needed_topics

ALL = frozenset({"Read", "Write", "Describe", "Alter"})
WELL = {"retention.ms": "604800000", "max.message.bytes": "1048588", "cleanup.policy": "delete"}


class Brokers:
    """What they answer; by default all is well."""

    def __init__(self, monkeypatch):
        self.rights: TopicRights | Exception | None = None
        self.refused: dict[str, str] = {}
        self.configs: dict[str, dict[str, str]] = {}
        for name in ("topic_rights", "creation_refusals", "topic_configurations"):
            monkeypatch.setattr(module, name, getattr(self, name))

    async def topic_rights(self, settings, topics):
        if isinstance(self.rights, Exception):
            raise self.rights
        return self.rights or TopicRights(dict.fromkeys(topics, ALL))

    async def creation_refusals(self, settings, missing, partitions, replicas):
        return {name: why for name, why in self.refused.items() if name in missing}

    async def topic_configurations(self, settings, topics):
        return {name: WELL | self.configs.get(name, {}) for name in topics}


@pytest.fixture
def brokers(monkeypatch):
    return Brokers(monkeypatch)


async def look(partitions=None, **settings):
    made = load_settings(**settings)
    known = dict.fromkeys(needed_topics(made), 4) | (partitions or {})
    found = await check_topics(made, Cluster(3, {name: number for name, number in known.items() if number}))
    return {one.name: one for one in found}


async def test_where_all_is_well_nothing_is_to_do(brokers):
    found = await look()
    assert {name: one.fix for name, one in found.items()} == {
        "topic rights": "",
        "partitions": "",
        "topic configuration": "",
    }


async def test_a_right_that_is_missing_names_topic_and_right(brokers):
    brokers.rights = TopicRights(dict.fromkeys(needed_topics(load_settings()), ALL) | {"genesys.raw": {"Read"}})
    found = (await look())["topic rights"]
    assert (found.ok, found.detail) == (False, "genesys.raw lacks Describe, Write")
    assert found.fix == "allow Describe, Write on topic genesys.raw"
    assert (await look(worker_roles="sink"))["topic rights"].ok  # it may not need that topic


@pytest.mark.parametrize("answer", [TopicRights({}, untold=True), TopicAuthorizationFailedError()])
async def test_brokers_that_do_not_tell_wrong_nobody(brokers, answer):
    brokers.rights = answer
    assert (await look())["topic rights"].ok


async def test_topics_that_would_not_be_made_are_named(brokers):
    brokers.refused = {"genesys.raw": "not allowed"}
    found = (await look({"genesys.raw": 0}))["topic creation"]
    assert (found.ok, found.detail) == (False, "would be refused: genesys.raw: not allowed")
    assert "topic creation" not in await look({"genesys.raw": 0}, kafka_create_topics=False)


@pytest.mark.parametrize(
    ("partitions", "settings", "ok", "words"),
    [
        ({"genesys.raw": 8}, {}, True, "give more to genesys.eventbridge-recent-changelog (4 → 8)"),
        ({"genesys.raw": 8}, {"kafka_create_topics": False}, False, "recent-changelog has 4 of 8"),
        ({"genesys.raw": 2}, {}, False, "recent-changelog has 4 and genesys.raw 2"),
    ],
    ids=["the worker mends it", "somebody has to", "too many"],
)
async def test_changelogs_of_another_number_of_partitions_are_told(brokers, partitions, settings, ok, words):
    found = (await look(partitions, **settings))["partitions"]
    assert found.ok is ok
    assert words in found.detail


@pytest.mark.parametrize(
    ("topic", "configs", "ok", "words"),
    [
        ("genesys.raw", {"max.message.bytes": "150000"}, False, "takes messages of 150000 bytes"),
        ("genesys.raw", {"cleanup.policy": "compact"}, False, "keeps the newest event of a conversation alone"),
        ("genesys.validated", {"retention.ms": "3600000"}, True, "keeps events for 1 h"),
        ("genesys.raw", {"retention.bytes": "1000"}, True, "deletes by size, also what nobody has read"),
    ],
)
async def test_a_configuration_that_would_lose_events_is_told(brokers, topic, configs, ok, words):
    brokers.configs = {topic: configs}
    found = (await look())[f"topic {topic}"]
    assert found.ok is ok
    assert words in found.detail
    assert found.fix


async def test_a_changelog_that_keeps_too_little_is_the_workers_to_mend_or_somebodys(brokers):
    brokers.configs = {"genesys.eventbridge-recent-changelog": {"retention.ms": "1000"}}
    assert "topic configuration" in await look()
    found = await look(kafka_create_topics=False)
    assert "retention.ms=660000" in found["topic genesys.eventbridge-recent-changelog"].fix
