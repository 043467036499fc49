"""This module turns a failure record back into the record that failed, for the topic it came from.

A failure of source, filter, transform or validate goes back to `raw` with the original bytes; one of publish
goes back to `validated` with the mapped event, so that no mapping runs again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from processors.delivery.failure_record import original_bytes
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.headers import ENVELOPE_BYTES, Meta, Origin
from processors.event.identity import event_of_bytes
from processors.event.strict_json import JsonObject
from processors.replay.moments import moment

#: Error of a line over GENESYS_MAX_LINE_BYTES, of which the record holds the beginning alone.
LINE_TOO_LONG = "LineTooLong"

TargetTopic = Literal["raw", "validated"]

#: A key that is looked for nowhere.
_ANY_KEY = b"-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event goes back to, which it does once: a topic of the flow, and the route if it is for that one alone.

    One that goes to `raw` does not stand for its mapped outputs: they may be known there, and dropped.
    """

    topic: TargetTopic
    identity: str
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Redrive:
    """What to write. `topic` as named in the flow, `identity` of the event, `route` if it is for that one alone."""

    topic: TargetTopic
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    identity: str
    route: str | None = None

    @property
    def place(self) -> Place:
        """What it is the only one for."""
        return Place(self.topic, self.identity, self.route)


@dataclass(frozen=True, slots=True)
class Unrecoverable:
    """The record does not hold the event any more; `origin` is where it may still stand whole."""

    reason: str
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class RedriveTargets:
    """The topics that events go back to, by their full names, and the largest message they take in bytes."""

    raw: str
    validated: str
    max_bytes: int


def redrive_of(
    record: JsonObject, meta: Meta, key: bytes | None, run: str, topics: RedriveTargets
) -> Redrive | Unrecoverable:
    """Build what to write from a failure record, its headers and its key (both may be missing, as on SQS)."""
    meta = _completed(record, meta)
    original = _original(record)
    transformed = record.get("transformedEvent")
    if record.get("stage") == "publish" and isinstance(transformed, dict):
        return _to_validated(transformed, original, meta, key, run, topics)
    if original is None:
        return Unrecoverable(f"the original event {_lack(record)}", meta.origin)
    return rebuilt(record, original, meta, key, run, topics)


def place_of(record: JsonObject, meta: Meta, topics: RedriveTargets) -> tuple[Place | None, bool]:
    """Where a record's event goes back to, and whether the record holds it whole.

    None: without the event nobody knows which one it is.
    """
    built = redrive_of(record, meta, _ANY_KEY, "", topics)
    if isinstance(built, Redrive):
        return built.place, True
    if failed_id(record, meta) is None:
        return None, False
    return rebuilt(record, b"", meta, _ANY_KEY, "", topics).place, False


def failed_id(record: JsonObject, meta: Meta) -> str | None:
    """The id of the event, as far as headers or record tell it."""
    return _completed(record, meta).event_id


def failed_key(record: JsonObject, meta: Meta, key: bytes | None) -> bytes:
    """The interaction's id: the record's own key, or what the event tells."""
    if key is not None:
        return key
    original = _original(record)
    return b"" if original is None else _key(original, failed_id(record, meta))


def failed_ms(record: JsonObject) -> int | None:
    """The moment of the failure, in epoch ms; None where the record does not tell it."""
    try:
        return moment(str(record.get("timestamp")), 0)
    except ValueError:
        return None


def rebuilt(
    record: JsonObject, original: bytes, meta: Meta, key: bytes | None, run: str, topics: RedriveTargets
) -> Redrive:
    """The record for `raw`, or for `validated` when it was one of that topic that nobody could read."""
    meta = _completed(record, meta)
    identity = meta.event_id or _identity(original)
    back = "validated" if meta.origin and meta.origin.topic == topics.validated else "raw"
    # On `raw` it names the one output that EventBridge refused: it was made, so the process stage would drop it.
    route = meta.route if back == "validated" or record.get("stage") == "publish" else None
    target: TargetTopic = "validated" if back == "validated" else "raw"
    straight = target == "validated"
    written = headers.write(
        Meta(
            event_id=meta.event_id,
            route=route,
            received_at=meta.received_at,
            replayed=run,
            straight=straight,
            traceparent=meta.traceparent,
        )
    )
    return Redrive(target, key or _key(original, meta.event_id), original, tuple(written.items()), identity, route)


def _to_validated(
    transformed: JsonObject, original: bytes | None, meta: Meta, key: bytes | None, run: str, topics: RedriveTargets
) -> Redrive:
    value = orjson.dumps(transformed)
    room = topics.max_bytes - ENVELOPE_BYTES - len(value)
    kept = original if original is not None and len(original) <= room else None
    written = headers.write(meta._replace(original=kept, replayed=run, straight=True))
    identity = meta.event_id or _identity(value)
    found = key or _key(original if original is not None else value, meta.event_id)
    return Redrive("validated", found, value, tuple(written.items()), identity, meta.route)


def _completed(record: JsonObject, meta: Meta) -> Meta:
    """What the headers say, and for what they do not, what the record itself says."""
    event_id, route = record.get("eventId"), record.get("route")
    return meta._replace(
        event_id=meta.event_id or (event_id if isinstance(event_id, str) and event_id else None),
        route=meta.route or (route if isinstance(route, str) and route else None),
        origin=meta.origin or _origin(record.get("origin")),
    )


def _origin(value: object) -> Origin | None:
    if isinstance(value, Mapping):
        return Origin.parse(f"{value.get('topic')}/{value.get('partition')}/{value.get('offset')}")
    return None


def _lack(record: JsonObject) -> str:
    if record.get("error") == LINE_TOO_LONG:
        return "was never read whole"
    return "was cut to fit" if record.get("truncated") else "was not kept"


def _original(record: JsonObject) -> bytes | None:
    if record.get("error") == LINE_TOO_LONG:
        return None
    try:
        return original_bytes(record)
    except (ValueError, TypeError):  # marked as base64 and is none: somebody else wrote it
        return None


def _key(value: bytes, event_id: str | None) -> bytes:
    """The key that the source gave: the interaction id, so that one interaction stays in order."""
    try:
        return event_of_bytes(value, event_id).key.encode("utf-8", "replace")
    except MalformedEventError:
        return (event_id or "").encode()


def _identity(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
