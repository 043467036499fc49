"""Tests of what is remembered of a bus since it was last seen."""

import pytest

from clients.aws.events.unconfirmed import Unconfirmed
from processors.delivery.entries import Entry


@pytest.fixture
def clock():
    times = [0.0]
    return times


@pytest.fixture
def made(clock):
    return Unconfirmed(lambda: clock[0])


def add(made, clock, *names):
    for name in names:
        clock[0] += 1
        made.add(Entry({"Detail": name}, 10), name)


def names(made):
    return [key for _, key in made.take()]


def test_what_was_put_since_in_its_order(made, clock):
    add(made, clock, "a", "b")
    assert names(made) == ["a", "b"]
    assert names(made) == []


def test_what_was_put_before_the_bus_was_seen_is_forgotten(made, clock):
    add(made, clock, "a", "b", "c")
    made.confirm(2.5)
    assert names(made) == ["c"]


def test_memory_is_bounded_and_what_did_not_fit_is_counted(made, clock):
    made.max_bytes = 2_100
    add(made, clock, "a", "b", "c")
    assert made.forgotten == 1
    assert names(made) == ["b", "c"]


def test_what_is_confirmed_goes_bit_by_bit_and_is_none_of_what_was_put_since(made, clock):
    add(made, clock, *map(str, range(2_000)))
    made.confirm(1_999.5)
    assert len(made._entries) == 1_500
    add(made, clock, "new")
    assert len(made._entries) == 1_499, "two have gone as one came"
    assert names(made) == ["1999", "new"]


def test_what_is_confirmed_and_does_not_fit_is_not_counted(made, clock):
    add(made, clock, *map(str, range(2_000)))
    made.confirm(1_999.5)
    made.max_bytes = 1_010
    add(made, clock, "new")
    assert (made.forgotten, names(made)) == (1, ["new"])
