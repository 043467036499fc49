"""This module tests what is listed of the failures topic."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest

from clients.kafka.ranges import Range
from processors.replay.redrive import Place, RedriveTargets
from processors.replay.redrive_notes import Note, Notes
from processors.replay.selection import FailureSelection
from streams.replay.failure_list import list_failures

NAMED = RedriveTargets("raw", "validated", 1_000_000)


def record(offset, event_id, error="SchemaViolation"):
    value = {"stage": "validate", "error": error, "originalEvent": {"id": "i"}, "eventId": event_id}
    return SimpleNamespace(
        partition=0, offset=offset, key=b"k", value=orjson.dumps(value), headers=(), timestamp=1_000 + offset
    )


class FakeReader:
    async def chunks(self, what):
        yield [record(0, "e-0"), record(1, "e-1"), record(2, "e-2", "MappingError")]


async def listed(selection=FailureSelection(), keep=None):  # noqa: B008 - it is frozen
    notes = Notes()
    notes.add([Note(Place("raw", "e-1"), "redrive-1", 2_000, 1_001, 2_000)])
    return await list_failures(FakeReader(), Range("failures", {0: 0}, {0: 3}), selection, notes, NAMED, keep)


async def test_all_is_counted_and_the_newest_are_kept():
    found = await listed(keep=2)
    assert (found.read, found.redriven) == (3, 1)
    assert [(one.failure.spot, one.note and one.note.run) for one in found.newest] == [
        ((0, 2), None),
        ((0, 1), "redrive-1"),
    ]
    assert [(one.error, number) for one, number in found.clusters.most_common()] == [
        ("SchemaViolation", 2),
        ("MappingError", 1),
    ]


@pytest.mark.parametrize(("keep", "number"), [(0, 0), (1, 1), (None, 3)])
async def test_as_many_are_kept_as_are_wanted(keep, number):
    assert len((await listed(keep=keep)).newest) == number


async def test_a_record_tells_where_it_stands_and_who_brought_it_back():
    found = await listed(FailureSelection(event_ids=("e-1",)))
    [told] = [one.as_json() for one in found.newest]
    assert (told["partition"], told["offset"], told["key"]) == (0, 1, "k")
    assert told["redriven"] == {"run": "redrive-1", "at": "1970-01-01T00:00:02.000Z"}
    assert told["record"]["eventId"] == "e-1"
