"""This module says what an event of a stream is, and reads from it what every stage asks for."""

from __future__ import annotations

from typing import Any

from faust import EventT

from processors.event.headers import Origin

#: One event of a stream; its value is bytes.
Event = EventT[Any]


def origin_of(event: Event) -> Origin:
    """Where the event stands in Kafka."""
    return Origin(event.message.topic, event.message.partition, event.message.offset)


def key_of(event: Event) -> str | None:
    """The event's key as text; None when it has none. Somebody else's may be of any bytes."""
    return event.message.key.decode("utf-8", "replace") if event.message.key else None
