"""Tests of what is remembered: events within a window, and values of topics whose events have no time."""

import pytest

from processors.genesys.seen_events import SeenEvents, SeenTimes, SeenValues


def test_an_event_is_new_once_within_the_window():
    seen = SeenEvents(window=10)
    assert seen.is_new("a", 0)
    assert not seen.is_new("a", 9.9)
    assert seen.is_new("a", 10)
    assert not seen.is_new("a", 19)


def test_memory_of_events_is_bounded():
    seen = SeenEvents(window=1e9, capacity=100)
    assert all(seen.is_new(str(number), 0) for number in range(1_000))
    assert len(seen) == 100
    assert not seen.is_new("999", 0)
    assert seen.is_new("0", 0)


@pytest.mark.parametrize(
    ("brought", "new"),
    [
        ("a1 b1 a1", [True, True, True]),
        ("a1 a1 b1 b1", [True, False, True, False]),
        ("a1 b1 a2 b2", [True, True, False, False]),
        ("a1 b1 a1 a2 b2 a2", [True, True, True, False, False, False]),
        ("a1 a2 b1 b2 a2 a1", [True, False, True, False, True, False]),
        ("a1 b1 b2 a2 a1", [True, True, False, True, False]),
    ],
    ids=["came back", "sent twice", "two channels one after the other", "the same with a return", "side by side",
         "the other channel begins later"],
)  # fmt: skip
def test_a_value_is_new_unless_it_repeats_the_newest(brought, new):
    values = SeenValues()
    assert [values.is_new("t", value, channel, at_ms) for at_ms, (value, channel) in enumerate(brought.split())] == new
    assert values.is_new("another", "a", "1", 0)


def test_a_channel_that_begins_long_after_a_value_was_left_brings_a_new_one():
    values = SeenValues()
    seen = [values.is_new("t", "a", "1", 0), values.is_new("t", "b", "1", 1_000), values.is_new("t", "a", "2", 9_000)]
    assert seen == [True, True, True]


def test_memory_of_values_is_bounded():
    values = SeenValues(capacity=10, values=3)
    for number in range(100):
        values.is_new("lively", str(number), "1", number)
        values.is_new(str(number), "a", "1", number)
    assert sum(values.knows(str(number)) for number in range(100)) == 9
    assert values.knows("lively")
    assert values.is_new("lively", "0", "1", 1_000)


def test_a_snapshot_adds_a_time_when_the_one_before_it_did_not_tell_it():
    times, key = SeenTimes(capacity=2), ("topic", "c")
    told = [{1}, {1}, {1, 2}, {1}, {1, 3}]
    assert [times.adds_none(key, frozenset(one)) for one in told] == [False, True, False, True, False]
    assert [times.adds_none(("topic", str(other)), frozenset()) for other in range(2)] == [False, False]
    assert not times.adds_none(key, frozenset({1}))
