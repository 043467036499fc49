"""This module names, reads and writes the headers of a record: event-id, route, received-at, origin and the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from processors.event.trace_context import LENGTH

#: Bytes of a Kafka message that key and headers may take beside the value.
ENVELOPE_BYTES = 4_096

_PARTITION = re.compile(r"\d{1,9}", re.ASCII)

_OFFSET = re.compile(r"\d{1,18}", re.ASCII)


class Origin(NamedTuple):
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
        if topic and _PARTITION.fullmatch(rest) and _OFFSET.fullmatch(offset):
            return cls(topic, int(rest), int(offset))
        return None


EVENT_ID = "event-id"
ROUTE = "route"
RECEIVED_AT = "received-at"
ORIGIN = "origin"

#: The bus of the route that mapped the event, where it names one: the route may be gone when the event is put.
EVENT_BUS = "event-bus"

#: The raw event, carried beside a validated one so that a failure to publish can report it whole.
ORIGINAL = "original"

_EPOCH_MS = re.compile(r"\d{1,15}", re.ASCII)

#: The W3C trace that the event is of (processors/event/trace_context.py).
TRACEPARENT = "traceparent"

#: Set on what `replay`, `redrive` and `backfill` write; its value names the run, beginning with the command's name.
REPLAYED = "replayed"

#: What the run of a redrive is called that takes also what was brought back before.
AGAIN = "redrive-again"

#: Set beside it on what goes straight to `validated`: the process stage does not see it, so the sink counts its coming.
STRAIGHT = "straight"


class Meta(NamedTuple):
    """What a record's headers say; every part may be missing, as anybody may write to a topic.

    A tuple, as what is made for every event is here: one costs a third of what a frozen dataclass does.

    `received_at`: epoch ms at which a source took the event in. `straight`: a command wrote it to `validated`.
    """

    event_id: str | None = None
    route: str | None = None
    received_at: int | None = None
    origin: Origin | None = None
    original: bytes | None = None
    replayed: str | None = None
    event_bus: str | None = None
    straight: bool = False
    traceparent: bytes | None = None

    @property
    def command(self) -> str | None:
        """Which command put the event back: `replay`, `redrive`, `backfill`; None when none did."""
        return self.replayed.partition("-")[0] if self.replayed else None

    @property
    def is_forced(self) -> bool:
        """Whether an operator wants it once more, though it was brought back before (`redrive --again`)."""
        return bool(self.replayed and self.replayed.startswith(f"{AGAIN}-"))


#: Names that Kafka Streams gives the headers of a dead letter (KIP-1034), by which other tools know one.
_STANDARD = "__streams.errors."

#: Bytes of a message that a header repeats; the record's value has it whole.
_MESSAGE_BYTES = 500


def standard_errors(error: str, message: str, origin: Origin | None) -> dict[str, bytes]:
    """The headers by which tools show a failure and find its origin; there is no stack trace, as nothing was thrown."""
    texts: dict[str, object] = {"exception": error, "message": message}
    if origin is not None:
        texts |= {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
    encoded = {name: str(text).encode("utf-8", "replace")[:_MESSAGE_BYTES] for name, text in texts.items()}
    return {_STANDARD + name: text.decode("utf-8", "ignore").encode() for name, text in encoded.items()}


def read(headers: Mapping[str, bytes | None]) -> Meta:
    """Read headers; a value that is not of its kind counts as missing."""
    received_at = _text(headers, RECEIVED_AT) or ""
    origin = _text(headers, ORIGIN)
    return Meta(
        event_id=_text(headers, EVENT_ID),
        route=_text(headers, ROUTE),
        received_at=int(received_at) if _EPOCH_MS.fullmatch(received_at) else None,
        origin=Origin.parse(origin) if origin else None,
        original=headers.get(ORIGINAL),
        replayed=_text(headers, REPLAYED),
        event_bus=_text(headers, EVENT_BUS),
        straight=bool(headers.get(STRAIGHT)),
        traceparent=_traceparent(headers),
    )


def write(meta: Meta) -> dict[str, bytes]:
    """The headers that say this; what is missing is left out."""
    texts = {
        EVENT_ID: meta.event_id,
        ROUTE: meta.route,
        RECEIVED_AT: meta.received_at,
        ORIGIN: meta.origin,
        EVENT_BUS: meta.event_bus,
        REPLAYED: meta.replayed,
        STRAIGHT: 1 if meta.straight else None,
    }
    written = {name: str(value).encode("utf-8", "replace") for name, value in texts.items() if value is not None}
    if meta.traceparent is not None:
        written[TRACEPARENT] = meta.traceparent
    return written if meta.original is None else {**written, ORIGINAL: meta.original}


def _traceparent(headers: Mapping[str, bytes | None]) -> bytes | None:
    """What has the length of one; whether it is sound is looked at where it is used."""
    value = headers.get(TRACEPARENT)
    return value if value is not None and len(value) == LENGTH else None


def _text(headers: Mapping[str, bytes | None], name: str) -> str | None:
    value = headers.get(name)
    if not value or len(value) > 1024:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
