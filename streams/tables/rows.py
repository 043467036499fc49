"""This module shows tables: rows of a range of time, and their sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processors.event.strict_json import JsonObject
from processors.metrics.counts import Sums, add, empty
from processors.metrics.history import MINUTE_MS, gap_marks, marks, read_row, strip
from processors.metrics.report import percentile
from processors.replay.period import Period
from streams.tables.definitions import KEY, WINDOW_S, SumTables

#: Numbers of rows are below it: a delta can still be added, and the sum still be written as JSON
#: (processors/metrics/delta.py).
MAX_SUM = 2**63

#: Windows that are looked up one by one.
FEW = 10


def gap_start(row: Any) -> int | None:
    """When a gap began, in epoch ms; None for what is no gap, as anybody may write to a changelog."""
    if not isinstance(row, dict) or any(isinstance(value, dict | list) for value in row.values()):
        return None  # what is nested deeply can be read, but not be shown
    start = row.get("start_ms")
    return start if isinstance(start, int) else None


def rows(tables: SumTables, name: str, within: Period | None = None) -> list[JsonObject]:
    """Rows of a table, newest first: of windows `{"from": epoch s, "to": epoch s, …}`. Raises KeyError."""
    table = tables.named(name)
    if name == "gaps":
        found = [row for row in table.values() if (start := gap_start(row)) is not None and _is_in(start, row, within)]
        return sorted(found, key=lambda row: -row["start_ms"])
    if name == "totals":
        return [{"key": key, **read_sums(value)} for key, value in table.items() if isinstance(value, dict)]
    found = []
    for begin, value in _windows(table, within):
        found.append({"from": begin, "to": begin + int(WINDOW_S), **_shown(name, value)})
    return sorted(found, key=lambda row: -row["from"])


def _shown(name: str, value: Any) -> JsonObject:
    if name == "latency":
        return _with_percentiles(read_histogram(value))
    return read_row(value) if name == "history" else read_numbers(value)


def _is_in(start_ms: int, gap: JsonObject, within: Period | None) -> bool:
    end = gap.get("end_ms")
    end_ms = end if isinstance(end, int) else start_ms
    return within is None or within.holds_part_of(start_ms / 1000, max(end_ms, start_ms + 1) / 1000)


def _windows(table: Any, within: Period | None) -> Iterator[tuple[int, Any]]:
    """When a window begins (epoch s), and its row."""
    for key, value in _some(table.table, within):
        begin = _window_start(key)
        if begin is None or not isinstance(value, dict):
            continue
        if within is None or within.holds_part_of(begin, begin + WINDOW_S):
            yield begin, value


def _some(table: Any, within: Period | None) -> list[tuple[Any, Any]]:
    """All rows of a table, or those of a few windows without a look at the others."""
    first, end = (within.since // 1000 // 60, -(-within.until // 60_000)) if within is not None else (0, MAX_SUM)
    if end - first > FEW:
        return list(table.items())
    keys = [(KEY, (begin, begin + WINDOW_S - 0.1)) for begin in (minute * WINDOW_S for minute in range(first, end))]
    return [(key, table[key]) for key in keys if key in table]  # faust/windows.py makes the keys so


def _window_start(key: Any) -> int | None:
    """When a row's window begins, in epoch s; None for a key that is no window's."""
    try:
        (_, (begin, _)) = key
        return int(begin) if abs(begin) < MAX_SUM else None
    except (TypeError, ValueError):
        return None


def sums(tables: SumTables, within: Period | None = None) -> Sums:
    """The sums of all workers: of the windows of some time, or since the tables began. Right on the owner alone."""
    if within is None:
        return read_sums(tables.totals[KEY])
    found = empty()
    parts = (
        ("counts", tables.throughput, read_numbers),
        ("failed", tables.failed, read_numbers),
        ("latency", tables.latency, read_histogram),
    )
    for part, table, read in parts:
        for _, row in _windows(table, within):
            found = add(found, {**empty(), part: read(row)})
    return found


def read_sums(value: Any) -> Sums:
    """What a row of `totals` holds; nothing in place of what somebody else wrote there."""
    parts = value if isinstance(value, dict) else {}
    return {
        "counts": read_numbers(parts.get("counts")),
        "failed": read_numbers(parts.get("failed")),
        "routes": read_numbers(parts.get("routes")),
        "latency": read_histogram(parts.get("latency")),
    }


def read_histogram(value: Any) -> Sums:
    """As `read_sums`, of a row of `latency`."""
    nothing: Sums = empty()["latency"]
    if not isinstance(value, dict) or not isinstance(value.get("buckets"), list):
        return nothing
    count, total, buckets = value.get("count"), value.get("sum"), value["buckets"]
    fits = len(buckets) == len(nothing["buckets"]) and all(map(_is_number, [count, total, *buckets]))
    return {"count": count, "sum": total, "buckets": buckets} if fits else nothing


def read_numbers(value: Any) -> dict[str, int]:
    """As `read_sums`, of a row of `throughput` or `failed`."""
    return {name: n for name, n in value.items() if _is_number(n)} if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < MAX_SUM


def _with_percentiles(value: Sums) -> JsonObject:
    average = round(value["sum"] / value["count"], 1) if value["count"] else 0.0
    shares = {"p50": percentile(value["buckets"], 0.5), "p99": percentile(value["buckets"], 0.99)}
    return {"count": value["count"], "avg": average, **shares, "buckets": value["buckets"]}


#: Times whose sums are kept.
MAX_RECENT = 16


class RecentSums:
    """Sums of times that end now, which are asked for again and again: minutes that are over are added up once.

    What is counted late, as after an outage, is in them within a minute.
    """

    def __init__(self, tables: SumTables) -> None:
        self._tables = tables
        self._closed: dict[tuple[int, int], Sums] = {}

    def of(self, asked: Period) -> Sums:
        """The sums of the windows of a time."""
        edge = (asked.until // MINUTE_MS - 1) * MINUTE_MS
        if asked.since >= edge:
            return sums(self._tables, asked)
        key = (asked.since // MINUTE_MS, edge)
        if key not in self._closed:
            self._closed[key] = sums(self._tables, Period(asked.since, edge))
            for old in list(self._closed)[:-MAX_RECENT]:
                del self._closed[old]
        return add(self._closed[key], sums(self._tables, Period(edge, asked.until)))


def history(tables: SumTables, asked: Period) -> JsonObject:
    """The strip of a time: `{"minutes": [row | hole, …], "marks": [{at, kind, what}, …]}`."""
    happened = {at: read_row(row) for at, row in _windows(tables.history, asked)}
    counts = {at: read_numbers(row) for at, row in _windows(tables.throughput, asked)}
    latencies = {at: read_histogram(row)["buckets"] for at, row in _windows(tables.latency, asked)}
    found = [*marks(happened, asked.since, asked.until), *gap_marks(rows(tables, "gaps", asked))]
    return {
        "minutes": strip(asked.since, asked.until, counts, latencies, happened),
        "marks": sorted(found, key=lambda mark: mark["at"]),
    }
