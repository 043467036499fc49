"""This module tests the look through the failures topic: the newest first, bounded, each record once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import orjson
import pytest

from clients.kafka.ranges import Range
from processors.replay.redrive import Place, RedriveTargets
from processors.replay.redrive_notes import Note, Notes
from processors.replay.selection import FailureSelection, Span
from streams.replay.background.failure_scan import ScanLimits, scan_failures

NAMED = RedriveTargets("raw", "validated", 1_000_000)
EACH_MS = 1_000


def record(partition, offset):
    value = {"stage": "validate", "error": f"E{offset % 2}", "originalEvent": {"id": "i"}, "eventId": f"e-{offset}"}
    return SimpleNamespace(
        partition=partition, offset=offset, key=b"k", value=orjson.dumps(value), headers=(), timestamp=offset * EACH_MS
    )


class FakeReader:
    """A topic with as many records in each partition as said; `by_time`: whether it can look up by time."""

    topic = "failures"

    def __init__(self, counts, by_time=True):
        self.counts, self.by_time, self.read = counts, by_time, []

    async def range(self, bounds):
        since = bounds.span.since if self.by_time else None
        first = {one: min(number, -(-(since or 0) // EACH_MS)) for one, number in self.counts.items()}
        return Range("failures", first, dict(self.counts))

    async def chunks(self, what):
        for partition in sorted(what.next):
            found = [record(partition, offset) for offset in range(what.next[partition], what.end[partition])]
            self.read += [(one.partition, one.offset) for one in found]
            if found:
                yield found


async def scan(reader, selection=FailureSelection(), notes=(), **more):  # noqa: B008 - it is frozen
    book = SimpleNamespace(notes=Notes())
    book.notes.add(notes)
    limits = replace(more.pop("limits", ScanLimits()), slice=10)
    return await scan_failures(reader, selection, book, NAMED, limits=limits, **more)


async def test_every_record_is_read_once_and_the_newest_are_listed():
    reader = FakeReader({0: 35, 1: 7})
    found = await scan(reader, limit=3)
    assert sorted(reader.read) == [(0, one) for one in range(35)] + [(1, one) for one in range(7)]
    shown = found.as_json("", 3)
    assert [(one["partition"], one["offset"]) for one in shown["failures"]] == [(0, 34), (0, 33), (0, 32)]
    assert (shown["scanned"], shown["complete"], shown["backTo"]) == (42, True, None)
    assert sum(row["count"] for row in shown["clusters"]) == 42


async def test_a_look_ends_at_its_bound_and_says_how_far_back_it_went():
    reader = FakeReader({0: 1_000})
    shown = (await scan(reader, limits=ScanLimits(records=30))).as_json("", 5)
    assert (shown["scanned"], shown["complete"]) == (30, False)
    assert min(reader.read) == (0, 970)
    assert shown["backTo"] == "1970-01-01T00:16:10.000Z"


async def test_time_is_a_bound_too():
    shown = (await scan(FakeReader({0: 1_000}), limits=ScanLimits(seconds=-1))).as_json("", 5)
    assert not shown["complete"]
    assert shown["scanned"] == 0
    assert shown["backTo"] == shown["to"]


@pytest.mark.parametrize("by_time", [True, False], ids=["by time", "brokers that cannot look up by time"])
async def test_what_is_older_than_the_span_is_not_counted_and_soon_not_read(by_time):
    reader = FakeReader({0: 1_000}, by_time)
    found = await scan(reader, FailureSelection(span=Span(990 * EACH_MS, None)))
    assert sum(row["count"] for row in found.as_json("", 5)["clusters"]) == 10
    assert len(reader.read) <= 20


async def test_what_was_brought_back_is_marked_and_may_be_left_out():
    notes = [Note(Place("raw", "e-3"), "run-1", 9_000, 3_000, 9_000)]
    whole = (await scan(FakeReader({0: 5}), notes=notes)).as_json("", 10)
    assert [(one["offset"], one["state"], one["run"]) for one in whole["failures"]][:2] == [
        (4, "open", None),
        (3, "redriven", "run-1"),
    ]
    for state, offsets in (("open", [4, 2, 1, 0]), ("redriven", [3])):
        shown = (await scan(FakeReader({0: 5}), notes=notes, state=state)).as_json(state, 10)
        assert [one["offset"] for one in shown["failures"]] == offsets


async def test_filters_are_those_of_a_redrive():
    found = await scan(FakeReader({0: 5, 1: 5}), FailureSelection(errors=("E1",), spots=frozenset({(0, 1), (0, 2)})))
    assert [(one["partition"], one["offset"]) for _, one in found.rows] == [(0, 1)]
