"""This module says what an event of a stage is, and reads from it what every stage asks for."""

from __future__ import annotations

from typing import Any

from processors.event import headers
from processors.event.headers import Meta, Origin
from streams.faust_patches.fetched_record import FetchedRecord

#: One event of a stage: the record as it was fetched.
Event = FetchedRecord


def origin_of(event: Any) -> Origin:
    """Where an event of a stage, or the message of a stream's, stands in Kafka."""
    return Origin(event.topic, event.partition, event.offset)


def key_of(event: Event) -> str | None:
    """The event's key as text; None when it has none. Somebody else's may be of any bytes."""
    return event.key.decode("utf-8", "replace") if event.key else None


def meta_of(event: Event) -> Meta:
    """What the event's headers say."""
    return headers.read(dict(event.headers))
