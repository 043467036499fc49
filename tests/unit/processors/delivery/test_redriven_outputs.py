"""Tests of what a sink remembers of redrives: the copies that a killed one leaves, and nothing else."""

import pytest

from processors.delivery.redriven_outputs import RedrivenOutputs
from processors.event.headers import Meta

REDRIVEN = Meta("e-1", "calls", replayed="redrive-2026-a", straight=True)


@pytest.fixture
def outputs():
    return RedrivenOutputs(600.0)


def test_a_copy_by_another_run_is_known_once_the_bus_has_it(outputs):
    mark = outputs.mark(REDRIVEN, b"1")
    assert not outputs.knows(mark), "it is on its way, and may be refused"
    outputs.accepted(mark, 1_000.0)
    assert outputs.knows(outputs.mark(REDRIVEN._replace(replayed="redrive-2026-b"), b"1"))


@pytest.mark.parametrize(
    ("change", "value"),
    [({"event_id": "e-2"}, b"1"), ({"route": "chats"}, b"1"), ({"event_bus": "other"}, b"1"), ({}, b"corrected")],
    ids=["event", "route", "bus", "value"],
)
def test_what_is_another_output_is_not(outputs, change, value):
    outputs.accepted(outputs.mark(REDRIVEN, b"1"), 1_000.0)
    assert not outputs.knows(outputs.mark(REDRIVEN._replace(**change), value))


@pytest.mark.parametrize(
    "change",
    [{"replayed": "redrive-again-2026"}, {"replayed": "replay-2026"}, {"replayed": None}, {"straight": False}],
    ids=["again", "replay", "live", "through the process stage"],
)
def test_what_is_wanted_once_more_or_comes_otherwise_has_no_mark(outputs, change):
    assert outputs.mark(REDRIVEN._replace(**change), b"1") is None
    outputs.accepted(None, 1_000.0)
    assert not outputs.knows(None)


def test_it_is_forgotten_after_the_window_and_off_without_one(outputs):
    mark = outputs.mark(REDRIVEN, b"1")
    outputs.accepted(mark, 1_000.0)
    outputs.accepted(outputs.mark(REDRIVEN, b"2"), 1_700.0)
    assert not outputs.knows(mark)
    assert RedrivenOutputs(0.0).mark(REDRIVEN, b"1") is None
