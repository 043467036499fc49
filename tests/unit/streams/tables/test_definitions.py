"""Tests of the tables' rows: newest first, and what somebody else wrote into a changelog is left out."""

from types import SimpleNamespace

import orjson
import pytest

from processors.metrics import counts
from processors.metrics.delta import MAX_COUNT as MAX_OF_A_DELTA
from streams.tables import definitions, owner, rows, updates


@pytest.fixture
def gaps(monkeypatch):
    made = {}
    monkeypatch.setattr(updates, "gaps", made)
    monkeypatch.setitem(definitions.TABLES, "gaps", made)
    return made


def gap(start_ms, part=0):
    return {"part": part, "start_ms": start_ms, "state": "open"}


def test_gaps_are_shown_newest_first(gaps):
    for start in (5, 9, 7):
        updates._note_gap(gap(start))
    assert [row["start_ms"] for row in rows.rows("gaps")] == [9, 7, 5]


def test_what_is_no_gap_in_the_changelog_ends_nothing(gaps):
    gaps.update({"a": "text", "b": {"start_ms": "yesterday"}, "c": None, "d": {"start_ms": 7, "reason": [[]]}})
    updates._note_gap(gap(5))
    assert [row["start_ms"] for row in rows.rows("gaps")] == [5]


@pytest.mark.parametrize("row", [None, "text", {}, {"part": 0, "state": "open", "start_ms": "5"}, {"start_ms": 5}])
def test_what_is_no_gap_is_refused(gaps, row):
    with pytest.raises(ValueError, match="not a gap"):
        updates._note_gap(row)
    assert gaps == {}


def test_the_oldest_gaps_go_first(gaps, monkeypatch):
    monkeypatch.setattr(updates, "GAPS", 2)
    for start in (5, 9, 7):
        updates._note_gap(gap(start))
    assert sorted(row["start_ms"] for row in gaps.values()) == [7, 9]


@pytest.mark.parametrize("content", [{}, {"counts": 1, "failed": {}, "latency": {}}, {"counts": {}, "failed": {}}])
def test_what_is_no_delta_is_refused(content):
    with pytest.raises(ValueError, match="not a delta"):
        updates.read_delta(content)


def test_the_rows_owner_is_who_has_the_key_s_partition(monkeypatch):
    topic = definitions.totals.changelog_topic.get_topic_name()
    held = {f"http://worker-{number}:6066": {topic: [number]} for number in range(4)}
    monkeypatch.setattr(owner.app, "router", SimpleNamespace(table_metadata=lambda name: held), raising=False)
    address = owner.owner()
    assert str(address).rstrip("/") in held
    monkeypatch.setattr(owner.app, "router", SimpleNamespace(table_metadata=lambda name: {}), raising=False)
    assert owner.owner() is None


NO_ROWS = [None, 5, [], "text", {"counts": 5}, {"count": "x", "sum": 1, "buckets": []}]


@pytest.mark.parametrize("row", NO_ROWS)
def test_what_somebody_else_wrote_into_the_sums_counts_as_nothing(monkeypatch, row):
    monkeypatch.setattr(rows, "totals", {definitions.KEY: row})
    assert rows.sums() == counts.empty()
    assert rows._histogram(row) == counts.empty()["latency"]
    assert updates._plus(rows._numbers(row), {"ingested": 1})["ingested"] == 1


@pytest.mark.parametrize("name", ["throughput", "failed", "latency", "totals"])
def test_rows_that_are_none_are_not_shown(monkeypatch, name):
    good = counts.empty()["latency"] if name == "latency" else counts.empty() if name == "totals" else {"a": 1}
    stored = {("pipeline", (60.0, 119.9)): good, None: good, "odd": 5, ("pipeline", 5): good, ("pipeline", "yz"): 5}
    monkeypatch.setitem(definitions.TABLES, name, stored if name == "totals" else SimpleNamespace(table=stored))
    found = rows.rows(name)
    assert len(found) == (3 if name == "totals" else 1)


@pytest.mark.parametrize("begin", [None, "60", 1e308, (60.0,), -1e308])
def test_a_window_that_begins_at_no_time_is_not_shown(monkeypatch, begin):
    monkeypatch.setitem(definitions.TABLES, "failed", SimpleNamespace(table={("pipeline", (begin, 119.9)): {"a": 1}}))
    assert rows.rows("failed") == []


@pytest.mark.parametrize("number", [2**64 - 1, 2**63, -1, 1.5, True, "5", None, [5]])
def test_a_number_that_no_worker_counted_is_not_added_to(monkeypatch, number):
    latency = {**counts.empty()["latency"], "sum": number}
    row = {"counts": {"ingested": number, "published": 3}, "failed": {"sink/x": number}, "latency": latency}
    monkeypatch.setattr(rows, "totals", {definitions.KEY: row})
    assert rows.sums() == {**counts.empty(), "counts": {"published": 3}}


def test_the_largest_sums_can_be_added_to_and_written():
    row = {"counts": {"ingested": rows.MAX_SUM - 1}, "failed": {}, "latency": counts.empty()["latency"]}
    delta = {**row, "counts": {"ingested": MAX_OF_A_DELTA}}
    assert orjson.dumps(counts.add(rows._sums(row), delta))
