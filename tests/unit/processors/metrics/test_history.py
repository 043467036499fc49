"""Tests of the strip: every minute has a row, one without events is a hole, and what others wrote is left out."""

import pytest

from processors.metrics import history
from processors.metrics.counts import BUCKETS_MS

AT_S = 1_763_895_600


def test_a_minute_without_events_is_a_hole_and_keeps_its_lag():
    counts = {AT_S: {"published": 2, "failed": 1}}
    found = history.strip(AT_S * 1000, (AT_S + 121) * 1000, counts, {}, {AT_S + 60: {"lag": 7, "marks": []}})
    assert [
        (row["from"], row["hole"], row["published"], row["failed"], row["filtered"], row["lag"]) for row in found
    ] == [
        ("2025-11-23T11:00:00Z", False, 2, 1, 0, None),
        ("2025-11-23T11:01:00Z", True, None, None, None, 7),
        ("2025-11-23T11:02:00Z", True, None, None, None, None),
    ]


def test_latencies_of_a_minute_are_its_own_and_say_what_is_beyond_the_last_bucket():
    beyond = [0] * len(BUCKETS_MS) + [1]
    [row] = history.strip(AT_S * 1000, AT_S * 1000 + 1, {AT_S: {"published": 1}}, {AT_S: beyond}, {})
    assert (row["p50Ms"], row["p99Ms"]) == ("> 60 s", "> 60 s")


def test_a_row_keeps_its_largest_lag_and_its_first_marks():
    row = history.with_lag(history.with_lag({}, 9), 3)
    for number in range(history.MAX_MARKS + 3):
        row = history.with_mark(row, number, {"kind": "rebalance", "what": "x"})
    assert (row["lag"], len(row["marks"]), row["marks"][0]) == (9, history.MAX_MARKS, [0, "rebalance", "x"])


def test_marks_of_a_time_are_in_order():
    rows = {0: {"marks": [[9, "routes", "b"], [3, "gap", "a"], [10, "gap", "out"]]}, 60: {"marks": [[5, "pause", "c"]]}}
    assert [mark["what"] for mark in history.marks(rows, 3, 10)] == ["a", "c", "b"]


@pytest.mark.parametrize(
    "row",
    [None, [], {"lag": "x", "marks": 3}, {"lag": -1, "marks": [[1, "none", "x"], ["1", "gap", "x"]]},
     {"marks": [[2**60, "gap", "x"]]},
     {"lag": True, "marks": [[1, [], "x"], [1, "gap", "x" * 999], None]}],
)  # fmt: skip
def test_what_somebody_else_wrote_is_left_out(row):
    assert history.read_row(row) == {"lag": None, "marks": []}


@pytest.mark.parametrize("mark", [None, {}, {"kind": "other", "what": ""}, {"kind": "gap", "what": 1}, {"kind": "gap"}])
def test_what_is_no_mark_is_refused(mark):
    assert history.wrong_mark(mark)
