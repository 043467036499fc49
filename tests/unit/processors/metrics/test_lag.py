"""Tests of how far the group is behind: what is unknown says so, and a commit is seen when it moves."""

import pytest

from processors.metrics.lag import PartitionLag, PartitionPosition, expiring, partition_lags, total

NOW_MS = 1_764_000_000_000


def row(told, *before, now_ms=100_000):
    known = []
    for at_ms, one in before:
        known = partition_lags([one], known, at_ms)
    return partition_lags([told], known, now_ms)[0].as_json(now_ms)


def test_the_age_is_that_of_the_oldest_unread_event():
    found = row(PartitionPosition("raw", 3, 7, 12, 70_000))
    assert (found["lag"], found["lagSeconds"]) == (5, 30.0)


def test_without_lag_nothing_is_old_and_what_is_not_known_is_null():
    assert row(PartitionPosition("raw", 0, 7, 7))["lagSeconds"] == 0.0
    assert row(PartitionPosition("raw", 0, 7, 8))["lagSeconds"] is None
    assert row(PartitionPosition("raw", 0, 7, 8))["secondsSinceCommit"] is None


def test_seconds_since_a_commit_count_from_when_it_was_seen():
    stood, moved = PartitionPosition("raw", 0, 5, 9), PartitionPosition("raw", 0, 6, 9)
    assert row(stood, (10_000, stood))["secondsSinceCommit"] is None
    assert row(moved, (10_000, stood))["secondsSinceCommit"] == 0.0
    assert row(moved, (10_000, stood), (40_000, moved))["secondsSinceCommit"] == 60.0


def test_a_clock_that_is_ahead_makes_no_negative_age():
    assert row(PartitionPosition("raw", 0, 7, 8, 200_000))["lagSeconds"] == 0.0


def test_lags_add_up_by_topic():
    told = [("raw", 0, 1, 4), ("raw", 1, 5, 5), ("validated", 0, 0, 9), ("raw", 2, 9, 3)]
    lags = partition_lags([PartitionPosition(*one) for one in told], [], 0)
    assert (total(lags, "raw"), total(lags, "validated"), total(lags, "x")) == (3, 9, 0)


def _unread(age_s: int, kept_s: int | None, lag: int = 5) -> PartitionLag:
    kept_ms = None if kept_s is None else kept_s * 1000
    return PartitionLag("genesys.raw", 3, 10, 10 + lag, NOW_MS - age_s * 1000, kept_ms)


def test_half_of_the_retention_gone_is_told_before_anything_is():
    found = expiring([_unread(40, 100), _unread(60, 100), _unread(90, 100)], NOW_MS)
    assert found is not None
    assert "the oldest event of genesys.raw 3, and of 1 more partitions, in 0:00:10 (retention.ms: 0:01:40)" in found[0]
    assert "raise retention.ms" in found[1]


@pytest.mark.parametrize("lag", [_unread(90, None), _unread(90, 100, lag=0), _unread(40, 100)])
def test_nothing_is_told_of_what_stays(lag: PartitionLag):
    assert expiring([lag], NOW_MS) is None


def test_the_row_says_how_long_the_oldest_event_stays():
    row = _unread(30, 100).as_json(NOW_MS)
    assert (row["retentionSeconds"], row["expiresSeconds"]) == (100.0, 70.0)
    row = _unread(300, 100).as_json(NOW_MS)
    assert row["expiresSeconds"] == 0.0
    assert _unread(30, None).as_json(NOW_MS)["expiresSeconds"] is None
