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
