"""This module defines the tables: sums of what the workers counted, in windows of one minute and in all.

Every delta has the one key METRICS_KEY, so that one partition, and thereby one worker, owns all rows, and a sum
over the workers is one look-up. The other workers' web views ask that one (streams/views/tables.py).

Times are the deltas' own Kafka timestamps. Reads go over the raw store because Faust's windowed accessors refuse
to work outside an agent (faust/tables/wrappers.py, `current_event`).
"""

from __future__ import annotations

from typing import Any, cast

import orjson
from aiokafka.partitioner import DefaultPartitioner
from faust import EventT
from yarl import URL

from processors.errors import MalformedEventError
from processors.event import JsonObject, parse_object
from processors.report import Sums, add, add_latency, empty, percentile
from streams.app import app, settings
from streams.codecs import lenient
from streams.ledger import METRICS_KEY

WINDOW_S = 60.0

KEY = orjson.loads(METRICS_KEY)


#: The tables by name, without their windows.
PLAIN: dict[str, Any] = {}


def _windowed(name: str, help: str) -> Any:
    PLAIN[name] = lenient(app.Table(name, default=dict, help=help))
    return PLAIN[name].tumbling(WINDOW_S, expires=settings.metrics_retention)


#: One row a minute: `{ingested, filtered, validated, published, failed, retries, duplicates}`.
throughput = _windowed("throughput", "Events counted in each minute, by what became of them")
#: One row a minute: `{"stage/error": n}`.
failed = _windowed("failed", "Failures of each minute, by stage and error")
#: One row a minute: `{count, sum, buckets}`, shown with its percentiles.
latency = _windowed("latency", "Milliseconds from received to accepted by EventBridge, in each minute")
#: One row: the sums since the group's tables began.
totals: Any = lenient(app.Table("totals", default=dict, help="All counts since the tables began"))

#: One row for each gap in the notifications: `{part, start_ms, end_ms, state, events, reason}`.
gaps: Any = lenient(
    app.Table("gaps", default=dict, help="Times when a notification socket was down, and what became of them")
)

PLAIN.update(totals=totals, gaps=gaps)
TABLES: dict[str, Any] = {
    "throughput": throughput,
    "failed": failed,
    "latency": latency,
    "totals": totals,
    "gaps": gaps,
}

#: Numbers of rows are below it: a delta can still be added, and the sum still be written as JSON (processors/delta.py).
MOST = 2**63

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


def _start_of(row: Any) -> int | None:
    """When a gap began, in epoch ms; None for what is no gap, as anybody may write to a changelog."""
    if not isinstance(row, dict) or any(isinstance(value, dict | list) for value in row.values()):
        return None  # what is nested deeply can be read, but not be shown
    start = row.get("start_ms")
    return start if isinstance(start, int) else None


def rows(name: str) -> list[JsonObject]:
    """Rows of a windowed table, newest first: `{"from": epoch s, "to": epoch s, …}`. Raises KeyError."""
    table = TABLES[name]
    if name == "gaps":
        found = [row for row in table.values() if _start_of(row) is not None]
        return sorted(found, key=lambda row: -row["start_ms"])
    if name == "totals":
        return [{"key": key, **_sums(value)} for key, value in table.items() if isinstance(value, dict)]
    found = []
    for key, value in list(table.table.items()):
        begin = _window_start(key)
        if begin is not None and isinstance(value, dict):
            shown = _with_percentiles(_histogram(value)) if name == "latency" else _numbers(value)
            found.append({"from": begin, "to": begin + int(WINDOW_S), **shown})
    return sorted(found, key=lambda row: -row["from"])


def _window_start(key: Any) -> int | None:
    """When a row's window begins, in epoch s; None for a key that is no window's."""
    try:
        (_, (begin, _)) = key
        return int(begin) if abs(begin) < MOST else None
    except (TypeError, ValueError):
        return None


def owner() -> URL | None:
    """Web address of the worker that owns the rows; None while Kafka has not assigned them.

    By what the group's leader told everybody: Faust's own `router.key_store` asks the producer, which knows only
    topics that it has written to.
    """
    topic = totals.changelog_topic.get_topic_name()
    held = {url: found.get(topic, []) for url, found in app.router.table_metadata("totals").items()}
    partitions = sorted({partition for found in held.values() for partition in found})
    if not partitions:
        return None
    ours = DefaultPartitioner()(METRICS_KEY, partitions, partitions)
    return next((URL(url) for url, found in held.items() if ours in found), None)


def are_recovered() -> bool:
    """Whether this worker has read its rows back from the changelogs."""
    recovery: Any = cast(Any, app.tables).recovery  # not in Faust's interface, but in its only implementation
    return bool(recovery.completed.is_set()) and not app.in_recovery


def is_owner() -> bool:
    """Whether the rows are this worker's."""
    found = owner()
    return found is not None and str(found).rstrip("/") == str(app.conf.canonical_url).rstrip("/")


def sums() -> Sums:
    """The sums of all workers since the tables began. Right on the owning worker alone."""
    return _sums(totals[KEY])


def _sums(value: Any) -> Sums:
    """What a row of `totals` holds; nothing in place of what somebody else wrote there."""
    parts = value if isinstance(value, dict) else {}
    return {
        "counts": _numbers(parts.get("counts")),
        "failed": _numbers(parts.get("failed")),
        "latency": _histogram(parts.get("latency")),
    }


def _histogram(value: Any) -> Sums:
    """As `_sums`, of a row of `latency`."""
    nothing: Sums = empty()["latency"]
    if not isinstance(value, dict) or not isinstance(value.get("buckets"), list):
        return nothing
    count, total, buckets = value.get("count"), value.get("sum"), value["buckets"]
    fits = len(buckets) == len(nothing["buckets"]) and all(map(_is_number, [count, total, *buckets]))
    return {"count": count, "sum": total, "buckets": buckets} if fits else nothing


def _numbers(value: Any) -> dict[str, int]:
    """As `_sums`, of a row of `throughput` or `failed`."""
    return {name: n for name, n in value.items() if _is_number(n)} if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST


def _with_percentiles(value: Sums) -> JsonObject:
    average = round(value["sum"] / value["count"], 1) if value["count"] else 0.0
    shares = {"p50": percentile(value["buckets"], 0.5), "p99": percentile(value["buckets"], 0.99)}
    return {"count": value["count"], "avg": average, **shares, "buckets": value["buckets"]}


def _plus(left: Any, right: Any) -> dict[str, int]:
    return {name: (left or {}).get(name, 0) + right.get(name, 0) for name in {**(left or {}), **right}}
