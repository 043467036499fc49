"""Tests of counting: sums in any order give the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.metrics.counts import BUCKETS_MS, COUNTERS, Counts, add, empty

numbers = st.integers(0, 99)


@st.composite
def deltas(draw):
    buckets = draw(st.lists(numbers, min_size=len(BUCKETS_MS) + 1, max_size=len(BUCKETS_MS) + 1))
    return {
        "counts": draw(st.dictionaries(st.sampled_from(COUNTERS), numbers)),
        "failed": draw(st.dictionaries(st.sampled_from(["filter/E", "publish/F"]), numbers)),
        "routes": draw(st.dictionaries(st.sampled_from(["a/mapped", "a/failed"]), numbers)),
        "latency": {"count": sum(buckets), "sum": draw(numbers), "buckets": buckets},
    }


@given(deltas(), deltas(), deltas())
def test_sums_do_not_depend_on_the_order(one, two, three):
    assert add(add(one, two), three) == add(one, add(two, three))
    assert add(one, two) == add(two, one)
    assert add(empty(), one) == one


@given(deltas(), deltas())
def test_adding_changes_neither(one, two):
    before = repr((one, two))
    add(one, two)
    assert repr((one, two)) == before


@pytest.mark.parametrize(
    "delta",
    [
        {},
        [],
        None,
        {"counts": {}},
        {**empty(), "counts": ["ingested"]},
        {**empty(), "counts": "ingested"},
        {**empty(), "counts": {"a": "1"}},
        {**empty(), "latency": {"count": 0, "sum": 0, "buckets": [0]}},
        {**empty(), "counts": {"a": None}},
        {**empty(), "latency": {"count": "1", "sum": 0, "buckets": [0] * 20}},
    ],
)
def test_another_shape_is_refused(delta):
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        add(empty(), delta)


def test_a_worker_of_before_told_no_routes():
    delta = {name: part for name, part in empty().items() if name != "routes"}
    assert add(empty(), delta) == empty()


def test_ends_are_counted_by_route():
    counts, other = Counts(), Counts()
    counts.add("validated")
    counts.route("calls", "mapped")
    counts.route(None, "failed")
    other.route("calls", "mapped")
    counts.take(other)
    assert counts.drain()["routes"] == {"calls/mapped": 2}


def test_a_drain_gives_what_was_counted_since_the_last():
    counts = Counts()
    assert counts.drain() is None
    counts.add("ingested", 2)
    counts.fail("filter", "FilterError")
    counts.latency(5)
    counts.latency(6)
    counts.latency(10**9)
    assert counts.drain() == {
        "counts": {"ingested": 2, "failed": 1},
        "failed": {"filter/FilterError": 1},
        "routes": {},
        "latency": {"count": 3, "sum": 10**9 + 11, "buckets": [1, 1, *[0] * (len(BUCKETS_MS) - 2), 1]},
    }
    assert counts.drain() is None


def test_a_name_that_no_counter_has_is_refused():
    with pytest.raises(ValueError, match="'ingestd'"):
        Counts().add("ingestd")


def test_a_batch_s_counts_are_taken_whole():
    mine, theirs = Counts(), Counts()
    mine.add("published")
    theirs.add("published", 2)
    theirs.fail("publish", "E")
    theirs.latency(7)
    mine.take(theirs)
    assert mine.drain()["counts"] == {"published": 3, "failed": 1}
    assert theirs.drain()["latency"]["count"] == 1
