"""This module reads what a source brought: as records for `raw`, or as what is no event, with the reason.

Fields that are to be masked are masked here, before key, id, headers and value are made of an event. A notification
gets the time of its receipt (`receivedAt`, epoch ms), as many tell no time of their own: so it is the same however
often the event is replayed. What comes in the envelope of Genesys' own EventBridge integration goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from processors.event import headers, trace_context
from processors.event.errors import MalformedEventError
from processors.event.headers import Meta
from processors.event.identity import RECEIVED_AT, derive_event_id, interaction_id, is_notification, unwrapped
from processors.event.lines import OversizedLine, ParsedLine, SourceLine
from processors.event.strict_json import JsonObject, json_type, parse

Redact = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True, slots=True)
class IntakeEvent:
    """One event as it goes to `raw`."""

    event_id: str
    key: bytes
    value: bytes
    headers: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class NotAnEvent:
    """What is no event, as far as it was read; no value when its bytes are withheld."""

    error: MalformedEventError
    value: bytes | None


def taken_in(
    lines: Iterable[SourceLine],
    received_at: int,
    max_bytes: int,
    redact: Redact | None = None,
    traced: str | None = None,
) -> Iterator[IntakeEvent | NotAnEvent]:
    """What each line holds: one event, or several as a JSON array.

    `received_at` in epoch ms; `max_bytes`: the limit that an oversized line broke. `redact` masks fields of
    each event (processors/event/redaction.py); what is no event may hide such a field, so its bytes are withheld.
    `traced`: from where on traces are sampled that are begun for events without one; None: none.
    """
    for line in lines:
        for found in _line(line, received_at, max_bytes, redact, traced):
            yield _withheld(found) if redact is not None and isinstance(found, NotAnEvent) else found


def _line(
    line: SourceLine, received_at: int, max_bytes: int, redact: Redact | None, traced: str | None
) -> Iterator[IntakeEvent | NotAnEvent]:
    if isinstance(line, OversizedLine):
        yield _too_long(f"a line of {line.size} bytes", max_bytes, line.prefix)
        return
    if isinstance(line, ParsedLine):
        event, value = _event(line.event, line.value, received_at, redact)
        is_own = redact is None and unwrapped(line.event) is line.event
        yield _item(event, value, received_at, max_bytes, traced, line.event_id if is_own else None)
        return
    try:
        found = parse(line)
    except MalformedEventError as error:
        yield NotAnEvent(error, line)
        return
    for item in found if isinstance(found, list) else [found]:
        yield _item(*_event(item, line if item is found else None, received_at, redact), received_at, max_bytes, traced)


def _event(item: Any, line: bytes | None, received_at: int, redact: Redact | None) -> tuple[Any, bytes]:
    """An item as it goes on, with its bytes: those that came (`line`) as far as they serve."""
    if not isinstance(item, dict):
        return item, line or orjson.dumps(item)
    event = unwrapped(item)
    if redact is not None:
        event = redact(event)
    # Written anew where it has changed: its old bytes may hold a masked field twice; a reader sees the last alone.
    value = line if line is not None and event is item and redact is None else orjson.dumps(event)
    if not is_notification(event) or RECEIVED_AT in event:
        return event, value
    stamp = {RECEIVED_AT: received_at}
    return event | stamp, value.rstrip()[:-1] + b"," + orjson.dumps(stamp)[1:]


def _too_long(what: str, max_bytes: int, value: bytes) -> NotAnEvent:
    message = f"{what}; the limit is {max_bytes} (GENESYS_MAX_LINE_BYTES, KAFKA_MAX_MESSAGE_BYTES)"
    return NotAnEvent(MalformedEventError(message, code="LineTooLong"), value)


def _withheld(refused: NotAnEvent) -> NotAnEvent:
    size = len(refused.value or b"")
    message = f"{refused.error}; its bytes ({size} read) are withheld, as REDACT_FIELDS is set"
    return NotAnEvent(MalformedEventError(message, code=refused.error.code), None)


def _item(
    item: object, value: bytes, received_at: int, max_bytes: int, traced: str | None, event_id: str | None = None
) -> IntakeEvent | NotAnEvent:
    if len(value) > max_bytes:
        return _too_long(f"an event of {len(value)} bytes", max_bytes, value)
    if not isinstance(item, dict):
        message = f"expected a JSON object, got {json_type(item)}"
        return NotAnEvent(MalformedEventError(message, code="NotAnObject"), value)
    event_id = event_id or derive_event_id(item)
    key = interaction_id(item) or event_id
    trace = trace_context.taken(item) or (None if traced is None else trace_context.begun(event_id, traced))
    written = headers.write(Meta(event_id=event_id, received_at=received_at, traceparent=trace))
    return IntakeEvent(event_id, key.encode("utf-8", "replace"), value, written)
