"""This module adds deltas and gaps to the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from faust import EventT

from processors.event.strict_json import JsonObject
from processors.metrics.counts import add, add_latency, empty, plus
from processors.metrics.expired import range_key
from processors.metrics.history import with_lag, with_mark
from processors.metrics.numbered import is_added, with_added
from streams.tables.definitions import KEY, SumTables
from streams.tables.rows import gap_start, read_histogram, read_numbers, read_sums

#: Gaps kept; the oldest go first.
MAX_GAPS = 1_000


def add_delta(tables: SumTables, event: EventT[Any], content: JsonObject) -> None:
    """Add one delta to every table, or a gap, a mark or a lag to its own; inside the metrics agent.

    `content`: what the event holds, as it was checked (processors/metrics/delta.py).
    """
    if "gap" in content:
        note_gap(tables.gaps, content["gap"])
        return
    if "mark" in content or "lag" in content:
        note_moment(tables.history, content, event)
        return
    delta = add(empty(), content)  # workers of before told less
    _add(tables.totals, tables.totals[KEY], content, lambda row: add(read_sums(row), delta))
    for table, part in ((tables.throughput, "counts"), (tables.failed, "failed"), (tables.routes, "routes")):
        if delta[part]:
            _add(table, table[KEY].current(event), content, partial(_with_numbers, delta[part]))
    if delta["latency"]["count"]:
        row = tables.latency[KEY].current(event)
        _add(tables.latency, row, content, lambda row: add_latency(read_histogram(row), delta["latency"]))


def _add(table: Any, row: Any, content: JsonObject, added: Callable[[Any], JsonObject]) -> None:
    """Add a delta to a row, unless it is in there: each row has a changelog of its own, so each knows for itself."""
    if not is_added(row, content):
        table[KEY] = with_added(row, added(row), content)


def _with_numbers(numbers: Mapping[str, int], row: Any) -> JsonObject:
    return plus(read_numbers(row), numbers)


def note_gap(gaps: MutableMapping[str, Any], row: JsonObject, most: int = MAX_GAPS) -> None:
    """Keep what became of a gap."""
    gaps[range_key(row) or f"{row['part']}/{row['start_ms']}"] = row
    for key in sorted(gaps.keys(), key=lambda key: gap_start(gaps[key]) or 0)[:-most]:
        gaps.pop(key)


def note_moment(history: Any, content: JsonObject, event: EventT[Any]) -> None:
    """Keep a mark, or how many events waited, in the row of its minute."""
    row, at_ms = history[KEY].current(event), int(event.message.timestamp * 1000)
    history[KEY] = with_lag(row, content["lag"]) if "lag" in content else with_mark(row, at_ms, content["mark"])
