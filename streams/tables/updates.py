"""This module adds deltas and gaps to the tables."""

from __future__ import annotations

from typing import Any

from faust import EventT

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import Sums, add, add_latency, empty
from streams.tables.definitions import KEY, failed, gaps, latency, throughput, totals
from streams.tables.rows import _histogram, _numbers, _start_of, _sums

#: Gaps kept; the oldest go first.
GAPS = 1_000


def apply(event: EventT[Any]) -> None:
    """Add one delta to every table. Call inside the metrics agent. Raises ValueError for another shape."""
    content = _parsed(event.value)
    if "gap" in content:
        _note_gap(content["gap"])
        return
    delta = read_delta(content)
    totals[KEY] = add(_sums(totals[KEY]), delta)
    throughput[KEY] = _plus(_numbers(throughput[KEY].current(event)), delta["counts"])
    if delta["failed"]:
        failed[KEY] = _plus(_numbers(failed[KEY].current(event)), delta["failed"])
    if delta["latency"]["count"]:
        latency[KEY] = add_latency(_histogram(latency[KEY].current(event)), delta["latency"])


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


def _note_gap(row: Any) -> None:
    if _start_of(row) is None or not {"part", "state"} <= set(row):
        raise ValueError("not a gap")
    gaps[f"{row['part']}/{row['start_ms']}"] = row
    for key in sorted(gaps.keys(), key=lambda key: _start_of(gaps[key]) or 0)[:-GAPS]:
        gaps.pop(key)


def _plus(left: Any, right: Any) -> dict[str, int]:
    return {name: (left or {}).get(name, 0) + right.get(name, 0) for name in {**(left or {}), **right}}
