"""This module tests the sums of failures by cluster."""

from processors.replay.clusters import FailureCluster
from processors.replay.selection import Span
from processors.replay.tally import MAX_CLUSTERS, OTHERS, TREND, Tallies

ONE = FailureCluster("validate", "SchemaViolation", "interaction", "detail.x")
TWO = FailureCluster("publish", "NotAuthorized", "interaction", "")


def tallies(since=0, until=30_000):
    return Tallies.of(Span(since, until), 99_000)


def test_records_are_counted_by_cluster_and_state_with_their_first_and_last_moment():
    found = tallies()
    for at_ms, is_redriven in ((5_000, False), (1_000, True), (29_999, False)):
        found.add(ONE, at_ms, is_redriven=is_redriven)
    [row] = found.rows()
    assert (row["count"], row["open"], row["redriven"]) == (3, 2, 1)
    assert (row["first"], row["last"]) == ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:29.999Z")
    assert row["stage"] == "validate"


def test_a_trend_has_its_counts_where_they_were():
    found = tallies()
    for at_ms in (0, 999, 1_000, 29_999, 30_000, -5, 99_000):  # what is beyond an edge is counted at it
        found.add(ONE, at_ms, is_redriven=False)
    [row] = found.rows()
    assert len(row["trend"]) == TREND
    assert (row["trend"][0], row["trend"][1], row["trend"][-1]) == (3, 1, 3)
    assert sum(row["trend"]) == row["count"]


def test_clusters_come_with_the_latest_first_and_by_state_those_that_have_any():
    found = tallies()
    found.add(ONE, 1_000, is_redriven=True)
    found.add(TWO, 2_000, is_redriven=False)
    assert [row["error"] for row in found.rows()] == ["NotAuthorized", "SchemaViolation"]
    assert [row["error"] for row in found.rows("open")] == ["NotAuthorized"]
    assert [row["error"] for row in found.rows("redriven")] == ["SchemaViolation"]


def test_there_is_a_bound_on_clusters():
    found = tallies()
    for number in range(MAX_CLUSTERS + 10):
        found.add(FailureCluster("validate", f"E{number}", "", ""), 1_000, is_redriven=False)
    assert len(found.by_cluster) == MAX_CLUSTERS + 1
    assert found.by_cluster[OTHERS].count == 10


def test_a_span_without_bounds_is_the_day_before_now():
    found = Tallies.of(Span(), 90_000_000)
    assert (found.since_ms, found.until_ms) == (3_600_000, 90_000_000)
