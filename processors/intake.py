"""This module reads what a source brought: as records for `raw`, or as what is no event, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from processors import headers
from processors.errors import MalformedEventError
from processors.event import Event, identify, json_type, parse
from processors.lines import Line, OversizedLine


@dataclass(frozen=True, slots=True)
class Taken:
    """One event as it goes to `raw`."""

    event: Event
    key: bytes
    value: bytes
    headers: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """What is no event, as far as it was read."""

    error: MalformedEventError
    value: bytes


def taken_in(lines: Iterable[Line], received_at: int, most_bytes: int) -> Iterator[Taken | Refused]:
    """What each line holds: one event, or several as a JSON array.

    `received_at` in epoch ms; `most_bytes`: the limit that an oversized line broke, for its message.
    """
    for line in lines:
        if isinstance(line, OversizedLine):
            message = f"a line of {line.size} bytes; the limit is GENESYS_MAX_LINE_BYTES={most_bytes}"
            yield Refused(MalformedEventError(message, code="LineTooLong"), line.prefix)
            continue
        try:
            found = parse(line)
        except MalformedEventError as error:
            yield Refused(error, line)
            continue
        for item in found if isinstance(found, list) else [found]:
            yield _item(item, line if item is found else orjson.dumps(item), received_at)


def _item(item: object, value: bytes, received_at: int) -> Taken | Refused:
    if not isinstance(item, dict):
        message = f"expected a JSON object, got {json_type(item)}"
        return Refused(MalformedEventError(message, code="NotAnObject"), value)
    event = identify(item)
    names = {headers.EVENT_ID: event.event_id.encode(), headers.RECEIVED_AT: str(received_at).encode()}
    return Taken(event, event.key.encode("utf-8", "replace"), value, names)
