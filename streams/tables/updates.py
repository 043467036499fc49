"""This module adds deltas and gaps to the tables."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from faust import EventT

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import Sums, add, add_latency, empty
from processors.metrics.expired import range_key
from processors.metrics.history import with_lag, with_mark
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
    tables.totals[KEY] = add(read_sums(tables.totals[KEY]), delta)
    tables.throughput[KEY] = plus(read_numbers(tables.throughput[KEY].current(event)), delta["counts"])
    if delta["failed"]:
        tables.failed[KEY] = plus(read_numbers(tables.failed[KEY].current(event)), delta["failed"])
    if delta["routes"]:
        tables.routes[KEY] = plus(read_numbers(tables.routes[KEY].current(event)), delta["routes"])
    if delta["latency"]["count"]:
        known = read_histogram(tables.latency[KEY].current(event))
        tables.latency[KEY] = add_latency(known, delta["latency"])


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
