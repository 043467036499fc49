"""This module makes PutEvents entries, measures them as AWS does and cuts them into requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from processors.delivery.custom_bus import metadata_size
from processors.event.formats import parse_time
from processors.event.strict_json import JsonObject
from processors.routes.entry_limits import TIME_BYTES

#: PutEvents takes 1 to 10 entries a request (EventBridge API reference).
MAX_ENTRIES = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One PutEvents entry, as the SDK takes it, and its size in bytes as AWS counts it."""

    fields: dict[str, Any]
    size: int


def entry(
    mapped: JsonObject, bus: str, metadata: dict[str, str] | None = None, trace_header: str | None = None
) -> Entry:
    """The entry of a mapped event. `bus`: name or ARN; `metadata`: what it has on a custom bus (custom_bus.py).

    `trace_header`: its trace as X-Ray says it, which AWS does not count and custom buses do not take.

    Raises KeyError, TypeError or ValueError when `mapped` is not the shape that routes give.
    """
    detail, resources = mapped["detail"], mapped.get("resources") or []
    if not isinstance(detail, dict) or not isinstance(resources, list):
        raise TypeError("detail must be an object and resources an array")
    written = orjson.dumps(detail)
    fields: dict[str, Any] = {
        "Source": mapped["source"],
        "DetailType": mapped["detail-type"],
        "Detail": written.decode(),
        "EventBusName": bus,
        "Resources": resources,
    }
    texts = [fields["Source"], fields["DetailType"], *resources]
    if not all([isinstance(text, str) for text in texts]):
        raise TypeError("source, detail-type and every resource must be text")
    size = len(written) + sum([len(text.encode()) for text in texts])
    if mapped.get("time") is not None:
        fields["Time"] = parse_time(mapped["time"])
        size += TIME_BYTES
    if metadata is not None:
        fields["SystemMetadata"] = metadata
        size += metadata_size(metadata)
    elif trace_header is not None:
        fields["TraceHeader"] = trace_header
    return Entry(fields, size)


def cut(sizes: Sequence[int], max_bytes: int, max_entries: int = MAX_ENTRIES) -> Iterator[range]:
    """Cut consecutive entries into requests within both limits; an entry above `max_bytes` travels alone."""
    start, total = 0, 0
    for index, size in enumerate(sizes):
        if index > start and (index - start == max_entries or total + size > max_bytes):
            yield range(start, index)
            start, total = index, 0
        total += size
    if start < len(sizes):
        yield range(start, len(sizes))
