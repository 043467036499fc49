"""This module adds deltas and gaps to the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from faust import EventT

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import Sums, add, add_latency, empty
from processors.metrics.expired import range_key
from processors.metrics.history import with_lag, with_mark
from processors.metrics.numbered import is_added, with_added
from streams.tables.definitions import KEY, SumTables
from streams.tables.rows import gap_start, read_histogram, read_numbers, read_sums

#: Gaps kept; the oldest go first.
MAX_GAPS = 1_000


def add_delta(tables: SumTables, event: EventT[Any]) -> None:
    """Add one delta to every table, or a gap, a mark or a lag to its own; inside the metrics agent.

    Raises ValueError for another shape.
    """
    content = _parsed(event.value)
    if "gap" in content:
        note_gap(tables.gaps, content["gap"])
        return
    if "mark" in content or "lag" in content:
        note_moment(tables.history, content, event)
        return
    delta = read_delta(content)
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


def read_delta(content: JsonObject) -> Sums:
    """Read a delta; raises ValueError when it is none (anybody may write to the topic)."""
    try:
        return add(empty(), content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a delta: {error!r}") from None


def _parsed(value: bytes | None) -> JsonObject:
    try:
        return parse_object(value or b"")
    except MalformedEventError as error:
        raise ValueError(str(error)) from None


def note_gap(gaps: MutableMapping[str, Any], row: Any, most: int = MAX_GAPS) -> None:
    """Keep what became of a gap. Raises ValueError for what is no gap."""
    if gap_start(row) is None or not {"part", "state"} <= set(row):
        raise ValueError("not a gap")
    gaps[range_key(row) or f"{row['part']}/{row['start_ms']}"] = row
    for key in sorted(gaps.keys(), key=lambda key: gap_start(gaps[key]) or 0)[:-most]:
        gaps.pop(key)


def note_moment(history: Any, content: JsonObject, event: EventT[Any]) -> None:
    """Keep a mark, or how many events waited, in the row of its minute."""
    row, at_ms = history[KEY].current(event), int(event.message.timestamp * 1000)
    history[KEY] = with_lag(row, content["lag"]) if "lag" in content else with_mark(row, at_ms, content["mark"])


def plus(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    """Sums by name."""
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}
