"""Tests of the plan for topics: what is missing, grows or keeps longer, and changelogs behind their companions."""

from __future__ import annotations

import pytest

from processors.replay.topic_changes import TopicChange, TopicState, TopicWish, planned

NEEDED = ("raw", "metrics", "recent", "totals")
COMPANIONS = {"recent": "raw", "totals": "metrics"}
FOUR = {"raw": 4, "metrics": 4, "recent": 4, "totals": 4}


def wish(partitions: dict[str, int] | None = None, retention_ms: dict[str, int] | None = None) -> TopicWish:
    return TopicWish(NEEDED, COMPANIONS, 4, partitions or {}, retention_ms or {})


def test_what_is_as_it_is_to_be_needs_nothing():
    assert planned(TopicState(FOUR), wish()) == []
    assert planned(TopicState(FOUR, {"raw": 5}), wish({"raw": 4}, {"raw": 5})) == []


def test_all_is_made_where_nothing_is_and_changelogs_last():
    changes = planned(TopicState({}), wish({"raw": 9}))
    assert [(one.topic, one.kind, one.then) for one in changes] == [
        ("raw", "create", 9), ("metrics", "create", 4), ("recent", "create", 9), ("totals", "create", 4),
    ]  # fmt: skip


def test_changelogs_follow_their_topics():
    assert planned(TopicState(FOUR), wish({"raw": 6})) == [
        TopicChange("raw", "partitions", 4, 6),
        TopicChange("recent", "partitions", 4, 6),
    ]
    assert planned(TopicState({**FOUR, "raw": 6}), wish()) == [TopicChange("recent", "partitions", 4, 6)]


def test_retention_is_changed_in_either_direction_and_where_it_is_not_known():
    for known in ({"raw": 5}, {"raw": 90}, {}):
        assert planned(TopicState(FOUR, known), wish(None, {"raw": 10})) == [
            TopicChange("raw", "retention", known.get("raw"), 10)
        ]


def test_kafka_takes_no_partitions_away():
    with pytest.raises(ValueError, match="raw has 4 partitions, and Kafka takes none away: 3 cannot be"):
        planned(TopicState(FOUR), wish({"raw": 3}))
