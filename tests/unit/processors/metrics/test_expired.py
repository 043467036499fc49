"""Tests of the row of events that Kafka deleted unread."""

from __future__ import annotations

import orjson
import pytest

from processors.metrics import delta
from processors.metrics.expired import acknowledged, expired_row, expiry_reason, is_expired, range_key

ROW = expired_row("raw", 3, (100, 420), 1_764_000_000_000, 1_763_999_000_000)


def test_the_row_says_how_many_where_and_since_when_and_is_taken_as_a_gap():
    assert (ROW["events"], ROW["topic"], ROW["part"]) == (320, "raw", 3)
    assert "320 events are gone" in ROW["reason"]
    assert "raw partition 3, offsets 100 to 419, written before 2025-11-24T15:43:20.000Z" in ROW["reason"]
    assert delta.checked(orjson.dumps({"gap": ROW})) == {"gap": ROW}


@pytest.mark.parametrize("before_ms", [None, 10**17, -(10**17)])
def test_a_time_that_nobody_knows_is_not_told(before_ms: int | None):
    assert "written before" not in expired_row("raw", 3, (100, 420), 5, before_ms)["reason"]


def test_the_same_range_found_again_is_the_same_row():
    assert range_key(ROW) == range_key(expired_row("raw", 3, (100, 420), 9, None)) == range_key(acknowledged(ROW))
    assert range_key({"part": 3, "start_ms": 7, "state": "open"}) is None


def test_health_names_what_nobody_has_acknowledged():
    rows = [expired_row("raw", number, (0, 10), 5, None) for number in range(5)]
    told = expiry_reason([*rows, {"part": 0, "start_ms": 1, "state": "open"}])
    assert told is not None
    assert "50 events" in told
    assert "10 of raw 0, 10 of raw 1, 10 of raw 2, 2 more ranges" in told
    assert "acknowledge" in told
    assert expiry_reason(acknowledged(row) for row in rows) is None
    assert not is_expired(acknowledged(ROW))


@pytest.mark.parametrize("row", [None, 3, {"state": "expired"}, {"state": "expired", "events": "many"}])
def test_what_somebody_else_wrote_is_no_such_row(row: object):
    assert not is_expired(row)
