"""This module writes the failure record: the value on the failures topic and the body on SQS."""

from __future__ import annotations

import base64
from bisect import bisect_right
from datetime import datetime
from typing import Any

import orjson

from processors.event.errors import PipelineError
from processors.event.formats import time_text
from processors.event.headers import Origin
from processors.event.strict_json import JsonObject, parse, parse_object
from processors.routes.outcome import Failed

#: Bytes that the fields of a record need beside the event, the violations and the message.
ROOM = 4_096


def failure_record(
    failed: Failed,
    original: bytes | None,
    *,
    timestamp: datetime,
    event_id: str | None = None,
    origin: Origin | None = None,
) -> JsonObject:
    """The record of the outside contract. `original`: the event's bytes as read, None when they are gone.

    Bytes that are not JSON are kept as base64, marked by `"encoding": "base64"`. A transformed event that is
    not JSON (it holds a function, a lone surrogate) is left out.
    """
    record: JsonObject = {
        **_original(original),
        "error": failed.error,
        "timestamp": time_text(timestamp, "milliseconds"),
        "retryAttempt": failed.attempts,
        "stage": failed.stage,
        "message": _plain(failed.message),
        "details": [{name: _plain(text) for name, text in violation.as_json().items()} for violation in failed.details],
        "route": failed.route,
        "eventId": event_id,
        "origin": None,
        "transformedEvent": failed.transformed if _is_json({"transformedEvent": failed.transformed}) else None,
    }
    if failed.engine:
        record["engine"] = failed.engine
    if origin is not None:
        record["origin"] = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
    return record


def encode_record(record: JsonObject, limit: int) -> bytes:
    """JSON of the record in at most `limit` bytes (above ROOM, which its other fields need).

    What does not fit goes in this order: the transformed event, all but the first violations and the end of
    the message, then the end of the original event (kept as the beginning of its text, with `truncated` and
    `originalBytes`; `origin` points at the whole).
    """
    encoded = _dumps(record)
    if len(encoded) <= limit:
        return encoded
    smaller = {**record, "transformedEvent": None, "truncated": True}
    encoded = _dumps(smaller)
    if len(encoded) <= limit:
        return encoded
    smaller |= {
        "message": _beginning(str(record["message"]), limit // 8),
        "details": _first(record["details"], limit // 4),
    }
    encoded = _dumps(smaller)
    if len(encoded) <= limit:
        return encoded
    original = smaller["originalEvent"]
    text = original if isinstance(original, str) else _dumps(original).decode()
    smaller |= {"originalEvent": "", "originalBytes": len(text.encode())}
    return _dumps(smaller | {"originalEvent": _beginning(text, limit - len(_dumps(smaller)))})


def short_form(value: bytes, limit: int, place: Origin) -> bytes | None:
    """An encoded record in at most `limit` bytes, for a place with less room; None when that holds not even its cause.

    `record` names where the whole one stands.
    """
    record = {**parse_object(value), "record": place._asdict()}
    if limit > ROOM:
        return encode_record(record, limit)
    kept = {name: record.get(name) for name in ("error", "timestamp", "stage", "route", "eventId", "origin", "record")}
    short = _dumps({"originalEvent": None, **kept, "message": _beginning(str(record.get("message")), limit // 8),
                    "details": [], "transformedEvent": None, "truncated": True})  # fmt: skip
    return short if len(short) <= limit else None


def original_bytes(record: JsonObject) -> bytes | None:
    """The event's bytes back from a record; None when it was truncated, never kept or damaged."""
    original = record.get("originalEvent")
    if original is None or "originalBytes" in record:
        return None
    if record.get("encoding") != "base64":
        return _dumps(original)
    try:
        return base64.b64decode(original, validate=True)
    except (TypeError, ValueError):
        return None


def _beginning(text: str, room: int) -> str:
    """As much of the text as its JSON has room for, in bytes: an escape may take six for one character."""
    kept = bisect_right(range(len(text) + 1), room, key=lambda length: len(_dumps(text[:length])) - 2) - 1
    return text[: max(0, kept)]


def _first(details: list[JsonObject], room: int) -> list[JsonObject]:
    kept = bisect_right(range(len(details) + 1), room, key=lambda number: len(_dumps(details[:number]))) - 1
    return details[: max(0, kept)]


def _original(value: bytes | None) -> JsonObject:
    if value is None:
        return {"originalEvent": None}
    try:
        original = parse(value)
    except PipelineError:
        original = None
    if original is None:  # JSON's null as well: as a value it would say that the event is gone
        return {"originalEvent": base64.b64encode(value).decode(), "encoding": "base64"}
    return {"originalEvent": original}


def _plain(text: str) -> str:
    """The text without lone surrogates, which an engine's or a schema's message may repeat."""
    return text.encode("utf-8", "replace").decode()


def _is_json(value: Any) -> bool:
    try:
        _dumps(value)
    except TypeError:
        return False
    return True


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value)
