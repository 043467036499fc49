"""Tests of the tables' rows: newest first, and what somebody else wrote into a changelog is left out."""

from types import SimpleNamespace

import orjson
import pytest

from processors.metrics import counts
from processors.metrics.delta import MAX_COUNT as MAX_OF_A_DELTA
from processors.replay.period import Period
from streams.tables import rows, updates
from streams.tables.definitions import KEY, SumTables
from streams.tables.owner import TableOwner


@pytest.fixture
def gaps():
    return {}


@pytest.fixture
def shown():
    """Shows what is stored in a table, or some."""

    def made(**stored):
        names = ("throughput", "failed", "routes", "latency", "history", "totals", "gaps")
        tables = {name: stored.get(name, {}) for name in names}
        return SumTables(**tables, plain=tables)

    return made


def gap(start_ms, part=0):
    return {"part": part, "start_ms": start_ms, "state": "open"}


def test_gaps_are_shown_newest_first(gaps, shown):
    for start in (5, 9, 7):
        updates.note_gap(gaps, gap(start))
    assert [row["start_ms"] for row in rows.rows(shown(gaps=gaps), "gaps")] == [9, 7, 5]


def test_sums_of_some_time_are_those_of_its_windows_alone(shown):
    def windowed(rows):
        return SimpleNamespace(table={("pipeline", (begin, begin + 59.9)): row for begin, row in rows.items()})

    latency = {**counts.empty()["latency"], "count": 1}
    tables = shown(
        throughput=windowed({0.0: {"raw": 1}, 60.0: {"raw": 2}, 120.0: {"raw": 4, "published": 3}, 180.0: {"raw": 8}}),
        failed=windowed({60.0: {"validate/E": 5}, 0.0: {"validate/E": 7}}),
        latency=windowed({120.0: latency, 0.0: latency}),
    )
    asked = Period(60_000, 180_000)
    found = rows.sums(tables, asked)
    assert (found["counts"], found["failed"]) == ({"raw": 6, "published": 3}, {"validate/E": 5})
    assert found["latency"]["count"] == 1
    assert [row["from"] for row in rows.rows(tables, "throughput", asked)] == [120, 60]


def test_gaps_of_some_time_are_those_that_touch_it(gaps, shown):
    for start, end in ((5, 9), (20, None), (30, 40)):
        updates.note_gap(gaps, {**gap(start), "end_ms": end} if end else gap(start))
    assert [row["start_ms"] for row in rows.rows(shown(gaps=gaps), "gaps", Period(8, 21))] == [20, 5]


def test_what_is_no_gap_in_the_changelog_ends_nothing(gaps, shown):
    gaps.update({"a": "text", "b": {"start_ms": "yesterday"}, "c": None, "d": {"start_ms": 7, "reason": [[]]}})
    updates.note_gap(gaps, gap(5))
    assert [row["start_ms"] for row in rows.rows(shown(gaps=gaps), "gaps")] == [5]


def test_the_oldest_gaps_go_first(gaps):
    for start in (5, 9, 7):
        updates.note_gap(gaps, gap(start), most=2)
    assert sorted(row["start_ms"] for row in gaps.values()) == [7, 9]


def test_the_rows_owner_is_who_has_the_key_s_partition():
    held = {f"http://worker-{number}:6066": {"changelog": [number]} for number in range(4)}
    app = SimpleNamespace(router=SimpleNamespace(table_metadata=lambda name: held))
    totals = SimpleNamespace(changelog_topic=SimpleNamespace(get_topic_name=lambda: "changelog"))
    owner = TableOwner(app, SimpleNamespace(totals=totals))
    assert str(owner.address()).rstrip("/") in held
    held.clear()
    assert owner.address() is None


NO_ROWS = [None, 5, [], "text", {"counts": 5}, {"count": "x", "sum": 1, "buckets": []}]


@pytest.mark.parametrize("row", NO_ROWS)
def test_what_somebody_else_wrote_into_the_sums_counts_as_nothing(shown, row):
    assert rows.sums(shown(totals={KEY: row})) == counts.empty()
    assert rows.read_histogram(row) == counts.empty()["latency"]
    assert counts.plus(rows.read_numbers(row), {"ingested": 1})["ingested"] == 1


@pytest.mark.parametrize("name", ["throughput", "failed", "latency", "totals"])
def test_rows_that_are_none_are_not_shown(shown, name):
    good = counts.empty()["latency"] if name == "latency" else counts.empty() if name == "totals" else {"a": 1}
    stored = {("pipeline", (60.0, 119.9)): good, None: good, "odd": 5, ("pipeline", 5): good, ("pipeline", "yz"): 5}
    table = stored if name == "totals" else SimpleNamespace(table=stored)
    found = rows.rows(shown(**{name: table}), name)
    assert len(found) == (3 if name == "totals" else 1)


@pytest.mark.parametrize("begin", [None, "60", 1e308, (60.0,), -1e308])
def test_a_window_that_begins_at_no_time_is_not_shown(shown, begin):
    table = SimpleNamespace(table={("pipeline", (begin, 119.9)): {"a": 1}})
    assert rows.rows(shown(failed=table), "failed") == []


@pytest.mark.parametrize("number", [2**64 - 1, 2**63, -1, 1.5, True, "5", None, [5]])
def test_a_number_that_no_worker_counted_is_not_added_to(shown, number):
    latency = {**counts.empty()["latency"], "sum": number}
    row = {"counts": {"ingested": number, "published": 3}, "failed": {"sink/x": number}, "latency": latency}
    assert rows.sums(shown(totals={KEY: row})) == {**counts.empty(), "counts": {"published": 3}}


def test_the_largest_sums_can_be_added_to_and_written():
    row = {"counts": {"ingested": rows.MAX_SUM - 1}, "failed": {}, "latency": counts.empty()["latency"]}
    delta = {**row, "counts": {"ingested": MAX_OF_A_DELTA}}
    assert orjson.dumps(counts.add(rows.read_sums(row), delta))


def test_recent_sums_add_up_what_is_over_once_and_what_grows_each_time(shown):
    stored = {
        ("pipeline", (begin, begin + 60.0 - 0.1)): {"raw": 1} for begin in (minute * 60.0 for minute in range(30))
    }
    tables = shown(
        **{name: SimpleNamespace(table={}) for name in ("failed", "latency")}, throughput=SimpleNamespace(table=stored)
    )
    recent, asked = rows.RecentSums(tables), Period(5 * 60_000, 30 * 60_000)
    assert recent.of(asked)["counts"] == rows.sums(tables, asked)["counts"] == {"raw": 25}
    stored["pipeline", (29 * 60.0, 29 * 60.0 + 60.0 - 0.1)] = {"raw": 4}
    stored["pipeline", (6 * 60.0, 6 * 60.0 + 60.0 - 0.1)] = {"raw": 100}
    assert recent.of(asked)["counts"] == {"raw": 28}
    assert recent.of(Period(5 * 60_000, 31 * 60_000))["counts"] == {"raw": 127}
    assert recent.of(Period(29 * 60_000, 30 * 60_000))["counts"] == {"raw": 4}


def test_the_history_shows_minutes_gaps_and_marks(shown, gaps):
    windowed = lambda row: SimpleNamespace(table={("pipeline", (60.0, 60.0 + 60.0 - 0.1)): row})  # noqa: E731
    gaps["0/70000"] = gap(70_000)
    tables = shown(
        throughput=windowed({"published": 3}), latency=windowed({}), gaps=gaps,
        history=windowed({"lag": 5, "marks": [[61_000, "routes", "other routes"]]}),
    )  # fmt: skip
    found = rows.history(tables, Period(60_000, 180_000))
    assert [(row["published"], row["lag"], row["hole"]) for row in found["minutes"]] == [
        (3, 5, False),
        (None, None, True),
    ]
    assert [(mark["at"], mark["kind"]) for mark in found["marks"]] == [
        ("1970-01-01T00:01:01Z", "routes"), ("1970-01-01T00:01:10Z", "gap"),
    ]  # fmt: skip
