"""This module reads what a source brought: as records for `raw`, or as what is no event, with the reason.

Fields that are to be masked are masked here, before key, id, headers and value are made of an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import orjson

from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.identity import Event, identify
from processors.event.lines import Line, OversizedLine
from processors.event.strict_json import JsonObject, json_type, parse

Redact = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True, slots=True)
class IntakeEvent:
    """One event as it goes to `raw`."""

    event: Event
    key: bytes
    value: bytes
    headers: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class NotAnEvent:
    """What is no event, as far as it was read; no value when its bytes are withheld."""

    error: MalformedEventError
    value: bytes | None


def taken_in(
    lines: Iterable[Line], received_at: int, max_bytes: int, redact: Redact | None = None
) -> Iterator[IntakeEvent | NotAnEvent]:
    """What each line holds: one event, or several as a JSON array.

    `received_at` in epoch ms; `max_bytes`: the limit that an oversized line broke. `redact` masks fields of
    each event (processors/event/redaction.py); what is no event may hide such a field, so its bytes are withheld.
    """
    for line in lines:
        for found in _line(line, received_at, max_bytes, redact):
            yield _withheld(found) if redact is not None and isinstance(found, NotAnEvent) else found


def _line(line: Line, received_at: int, max_bytes: int, redact: Redact | None) -> Iterator[IntakeEvent | NotAnEvent]:
    if isinstance(line, OversizedLine):
        yield _too_long(f"a line of {line.size} bytes", max_bytes, line.prefix)
        return
    try:
        found = parse(line)
    except MalformedEventError as error:
        yield NotAnEvent(error, line)
        return
    for item in found if isinstance(found, list) else [found]:
        value = line if item is found else orjson.dumps(item)
        if redact is not None and isinstance(item, dict):
            # Written anew: its old bytes may hold a masked field twice; a reader sees the last alone.
            item = redact(item)
            value = orjson.dumps(item)
        yield _item(item, value, received_at, max_bytes)


def _too_long(what: str, max_bytes: int, value: bytes) -> NotAnEvent:
    message = f"{what}; the limit is {max_bytes} (GENESYS_MAX_LINE_BYTES, KAFKA_MAX_MESSAGE_BYTES)"
    return NotAnEvent(MalformedEventError(message, code="LineTooLong"), value)


def _withheld(refused: NotAnEvent) -> NotAnEvent:
    size = len(refused.value or b"")
    message = f"{refused.error}; its bytes ({size} read) are withheld, as REDACT_FIELDS is set"
    return NotAnEvent(MalformedEventError(message, code=refused.error.code), None)


def _item(item: object, value: bytes, received_at: int, max_bytes: int) -> IntakeEvent | NotAnEvent:
    if len(value) > max_bytes:
        return _too_long(f"an event of {len(value)} bytes", max_bytes, value)
    if not isinstance(item, dict):
        message = f"expected a JSON object, got {json_type(item)}"
        return NotAnEvent(MalformedEventError(message, code="NotAnObject"), value)
    event = identify(item)
    names = {headers.EVENT_ID: event.event_id.encode(), headers.RECEIVED_AT: str(received_at).encode()}
    return IntakeEvent(event, event.key.encode("utf-8", "replace"), value, names)
