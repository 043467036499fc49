"""This module writes the failure record: the value on the failures topic and the body on SQS."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from processors.event import JsonObject, parse
from processors.errors import PipelineError
from processors.outcome import Failed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stood when the pipeline took it: topic, partition, offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """Read `topic/partition/offset`; None when the text is not one."""
        topic, _, rest = text.rpartition("/")[0].rpartition("/")
        offset = text.rpartition("/")[2]
        if topic and rest.isascii() and rest.isdigit() and offset.isascii() and offset.isdigit():
            return cls(topic, int(rest), int(offset))
        return None


def failure_record(
    failed: Failed,
    original: bytes | None,
    *,
    timestamp: datetime,
    event_id: str | None = None,
    origin: Origin | None = None,
) -> JsonObject:
    """The record of the outside contract. `original`: the event's bytes as they were read, None when they are gone.

    Bytes that are not JSON are kept as base64, marked by `"encoding": "base64"`.
    """
    record: JsonObject = {
        **_original(original),
        "error": failed.error,
        "timestamp": timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "retryAttempt": failed.attempts,
        "stage": failed.stage,
        "message": failed.message,
        "details": [violation.as_json() for violation in failed.details],
        "route": failed.route,
        "eventId": event_id,
        "origin": None,
        "transformedEvent": failed.transformed,
    }
    if origin is not None:
        record["origin"] = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
    return record


def encode(record: JsonObject, limit: int) -> bytes:
    """JSON of the record in at most `limit` bytes.

    What does not fit goes in this order: the transformed event, then the end of the original one (kept
    as the beginning of its text, with `truncated` and `originalBytes`; `origin` points at the whole).
    """
    encoded = _dumps(record)
    if len(encoded) <= limit:
        return encoded
    smaller = {**record, "transformedEvent": None, "truncated": True}
    encoded = _dumps(smaller)
    if len(encoded) <= limit:
        return encoded
    original = smaller["originalEvent"]
    text = original if isinstance(original, str) else _dumps(original).decode()
    room = max(0, limit - len(_dumps({**smaller, "originalEvent": "", "originalBytes": len(text)})) - 16)
    kept = text.encode("utf-8")[: room // 2].decode("utf-8", "ignore")  # quoting may double a character
    return _dumps({**smaller, "originalEvent": kept, "originalBytes": len(text)})


def original_bytes(record: JsonObject) -> bytes | None:
    """The event's bytes back from a record; None when it was truncated or never kept."""
    original = record.get("originalEvent")
    if original is None or ("originalBytes" in record):
        return None
    if record.get("encoding") == "base64":
        return base64.b64decode(original)
    return _dumps(original)


def _original(value: bytes | None) -> JsonObject:
    if value is None:
        return {"originalEvent": None}
    try:
        return {"originalEvent": parse(value)}
    except PipelineError:
        return {"originalEvent": base64.b64encode(value).decode(), "encoding": "base64"}


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value)
