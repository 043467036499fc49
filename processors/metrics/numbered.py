"""This module adds a delta to a row of a table once, however often Kafka brings it.

It comes again when the brokers had it and their answer was lost, and when the tables' owner had added it and not
committed yet: killed, or stopped past its session. So a worker numbers its deltas, `{"by": name, "number": n, …}`, and
a row remembers the last of each worker, `{"added": {name: n}, …}`. Deltas of one worker are in one partition, in order.
"""

from __future__ import annotations

from typing import Any

from processors.event.strict_json import JsonObject

#: Workers that a row remembers; of more, those that have told nothing for longest are forgotten.
MAX_WORKERS = 128

#: Most characters of a worker's name.
MAX_NAME = 40


def wrong_number(delta: JsonObject) -> str:
    """Why a delta's number is none; empty when it is one, or when there is none, as earlier versions wrote it."""
    if "by" not in delta and "number" not in delta:
        return ""
    by, number = delta.get("by"), delta.get("number")
    fits = isinstance(by, str) and 0 < len(by) <= MAX_NAME and type(number) is int and 0 < number < 2**53
    return "" if fits else "not a delta: its number is none"


def is_added(row: Any, delta: JsonObject) -> bool:
    """Whether the row has the delta already."""
    return "by" in delta and delta["number"] <= _added(row).get(delta["by"], 0)


def with_added(before: Any, after: JsonObject, delta: JsonObject) -> JsonObject:
    """The row `after` the delta was added, which remembers that, and what the row `before` remembered."""
    added = _added(before)
    if "by" in delta:
        added.pop(delta["by"], None)  # to the end: it has told something last
        added[delta["by"]] = delta["number"]
    return {**after, "added": dict(list(added.items())[-MAX_WORKERS:])} if added else after


def _added(row: Any) -> dict[str, int]:
    """Worker → its last number; nothing in place of what somebody else wrote there."""
    found = row.get("added") if isinstance(row, dict) else None
    return {name: n for name, n in found.items() if type(n) is int} if isinstance(found, dict) else {}
