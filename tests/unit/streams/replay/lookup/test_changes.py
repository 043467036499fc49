"""This module tests what a draft would change, over records and a mapping process that are lists."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest

from processors.replay.selection import Span
from processors.routes.draft import Draft
from processors.routes.outcome import Failed
from processors.routes.routes import Encoded, Routed
from settings import Settings
from streams.replay.lookup import changes as module
from streams.replay.lookup.changes import NOW, THEN, Changes, both, compared
from tests.unit.streams.replay.lookup.test_backwards import ListReader

DRAFT = Draft("true", "$", "{}").texts("calls", {})


def record(number, value=b"{}"):
    return SimpleNamespace(
        topic="genesys.raw", partition=0, offset=number, timestamp=1_000 + number, key=b"k", value=value, headers=()
    )


class Records(ListReader):
    """One partition of records."""

    partitions = 1

    def __init__(self, records):
        super().__init__([one.timestamp for one in records])
        self._records = records

    async def chunks(self, what):
        yield self._records[what.next[0] : what.end[0]]
        what.next[0] = what.end[0]


class Both:
    """Maps by two functions of the record's number; remembers how many it was asked for."""

    def __init__(self, now, then):
        self._now, self._then = now, then
        self.asked = []

    async def apply(self, raws):
        self.asked.append(len(raws))
        return [self._routed(orjson.loads(raw.value)["n"]) for raw in raws]

    def _routed(self, number):
        found = [(NOW, self._now(number)), (THEN, self._then(number))]
        return Routed("k", "e", tuple(_outcome(name, made) for name, made in found if made is not None))


def _outcome(name, made):
    if isinstance(made, str):
        return Failed("validate", made, "", route=name)
    return Encoded(name, orjson.dumps(made))


@pytest.fixture
def in_raw(stands_for_kafka):
    """Sets what `raw` holds."""
    return lambda records: stands_for_kafka(module, {"genesys.raw": 1}, lambda _: Records(records))


def numbered(count):
    return [record(number, orjson.dumps({"n": number})) for number in range(count)]


async def run(sandbox, most=1_000):
    told = [one.as_json() async for one in compared(Settings(), sandbox, Changes("calls", most), Span())]
    return told


async def test_counts_fields_and_examples_are_told_as_in_a_dry_run(in_raw):
    in_raw(numbered(6))
    sandbox = Both(
        lambda n: {"a": n} if n < 4 else "SchemaViolation" if n == 4 else None,
        lambda n: {"a": n + 10} if n in (0, 1) else {"a": n} if n != 5 else None,
    )
    found = (await run(sandbox))[-1]
    assert (found["read"], found["changed"], found["unchanged"], found["end"]) == (6, 3, 3, "all")
    assert found["kinds"] == {"mapped differently": 2, "now passing": 1}
    assert found["before"] == {"mapped": 4, "filtered": 1, "failed": 1}
    assert found["after"] == {"mapped": 5, "filtered": 1, "failed": 0}
    assert found["fields"][0] == {"path": "a", "events": 2, "example": {"path": "a", "before": 1, "after": 11}}
    assert {one["origin"] for one in found["examples"]} >= {"genesys.raw/0/1"}


async def test_it_says_how_far_it_is_and_ends_at_most(in_raw):
    in_raw(numbered(500))
    sandbox = Both(lambda n: {}, lambda n: {})
    told = await run(sandbox, most=250)
    assert [one["read"] for one in told] == [50, 150, 250, 250]  # a slice of 50, then one of 200
    assert (told[-1]["end"], told[-1]["since"]) == ("most", "1970-01-01T00:00:01.250Z")


async def test_records_that_are_no_events_are_passed_over(in_raw):
    in_raw([record(0, None), *numbered(2)])
    found = (await run(Both(lambda n: {}, lambda n: {"x": 1})))[-1]
    assert (found["read"], found["changed"]) == (2, 2)


def test_a_route_that_is_new_is_tried_alone():
    assert [one.name for one in both(None, DRAFT)] == [THEN]
    assert [one.name for one in both(DRAFT, DRAFT)] == [NOW, THEN]
