"""This module checks what the metrics topic holds before it is counted: anybody may write to it, and sums last.

What is no number, or too large a one, would be added to the tables and end every worker that owns them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import BUCKETS_MS, MAX_NAME
from processors.metrics.group import wrong_row
from processors.metrics.history import wrong_mark
from processors.metrics.numbered import wrong_number

#: Most that one number of a delta may be: no worker counts so much in a second, and thousands of them fit into int64.
MAX_COUNT = 2**48

#: Most names in one part of a delta; the tables' rows hold all there ever were.
MAX_NAMES = 1_000


def checked(value: bytes | None) -> JsonObject:
    """What `value` holds: a worker's delta, the row of a gap or of a worker, a mark, or how many events wait.

    Raises ValueError for anything else.
    """
    try:
        content = parse_object(value or b"")
    except MalformedEventError as error:
        raise ValueError(str(error)) from None
    kind = next((name for name in WRONG if name in content), None)
    if wrong := WRONG[kind](content[kind]) if kind else _wrong_delta(content):
        raise ValueError(wrong)
    return content


def _wrong_gap(row: Any) -> str:
    if not isinstance(row, dict) or not isinstance(row.get("state"), str):
        return "not a gap"
    if any(isinstance(value, dict | list) for value in row.values()):
        return "not a gap: what is nested deeply can be read, but not be shown"
    whole = all(_is_count(row.get(name)) for name in ("part", "start_ms"))
    return "" if whole and _is_count(row.get("end_ms", 0)) else "not a gap: its times are no numbers"


def _wrong_delta(content: JsonObject) -> str:
    counts, failed, latency = (content.get(name) for name in ("counts", "failed", "latency"))
    routes = content.get("routes", {})
    if not (isinstance(counts, dict) and isinstance(failed, dict) and isinstance(latency, dict)):
        return "not a delta"
    if not isinstance(routes, dict):
        return "not a delta"
    named = (counts, failed, routes)
    if max(map(len, named)) > MAX_NAMES or any(len(name) > MAX_NAME for part in named for name in part):
        return "not a delta: it holds more or longer names than any worker counts"
    buckets = latency.get("buckets")
    if not isinstance(buckets, list) or len(buckets) != len(BUCKETS_MS) + 1:
        return "not a delta: its latency has other buckets"
    numbers = [*(number for part in named for number in part.values()), *buckets]
    numbers += [latency.get("count"), latency.get("sum")]
    if not all(map(_is_count, numbers)):
        return f"not a delta: it holds what is no number from 0 to {MAX_COUNT}"
    return wrong_number(content)


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number <= MAX_COUNT


#: What is no delta, by its one name → why it is none of that either; empty when it is.
WRONG: dict[str, Callable[[Any], str]] = {
    "worker": wrong_row,
    "gap": _wrong_gap,
    "mark": wrong_mark,
    "lag": lambda number: "" if _is_count(number) else "not a lag: it is no number",
}
