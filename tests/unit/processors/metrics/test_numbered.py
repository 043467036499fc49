"""Tests of numbered deltas: added once, whatever Kafka brings again, and forgotten only when many others have told."""

import pytest

from processors.metrics.numbered import MAX_WORKERS, is_added, with_added, wrong_number


def added(row, by, number):
    """A row to which a delta of one event is added once."""
    delta = {"by": by, "number": number}
    if is_added(row, delta):
        return row
    return with_added(row, {"raw": row.get("raw", 0) + 1}, delta)


def test_a_delta_that_comes_again_is_not_added():
    row = {}
    for by, number in (("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1), ("a", 2), ("b", 3)):
        row = added(row, by, number)
    assert row == {"raw": 4, "added": {"a": 2, "b": 3}}


def test_a_delta_of_an_earlier_version_has_no_number_and_is_added():
    row = added({"raw": 4, "added": {"a": 2}}, "a", 3)
    assert not is_added(row, {"counts": {}})
    assert with_added(row, {"raw": 6}, {"counts": {}}) == {"raw": 6, "added": {"a": 3}}
    assert with_added({}, {"raw": 1}, {}) == {"raw": 1}


def test_who_has_told_nothing_for_longest_is_forgotten_first():
    row = added({}, "quiet", 1)
    for number in range(MAX_WORKERS - 1):
        row = added(row, f"worker {number}", 7)
    row = added(added(row, "worker 0", 8), "new", 1)
    assert len(row["added"]) == MAX_WORKERS
    assert "quiet" not in row["added"]
    assert row["added"]["worker 0"] == 8


@pytest.mark.parametrize("row", [None, 7, {}, {"added": 7}, {"added": {"a": "x"}}, {"added": {"a": 2.5}}])
def test_what_somebody_else_wrote_into_a_row_is_no_memory(row):
    assert not is_added(row, {"by": "a", "number": 1})
    assert with_added(row, {"raw": 1}, {"by": "a", "number": 1}) == {"raw": 1, "added": {"a": 1}}


@pytest.mark.parametrize(
    "delta",
    [{"by": "a"}, {"number": 1}, *({"by": "a", "number": n} for n in (0, -1, "1", 1.0, True, None, 2**53))]
    + [{"by": by, "number": 1} for by in ("", 7, None, ["a"], "x" * 41)],
)
def test_what_is_no_number_is_refused(delta):
    assert wrong_number(delta)


def test_numbers_of_workers_are_right():
    assert not wrong_number({"by": "0123456789ab", "number": 1})
    assert not wrong_number({})
