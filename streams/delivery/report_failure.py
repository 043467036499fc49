"""This module writes failure records for the failures topic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import structlog

from processors.delivery.failure_record import encode, failure_record
from processors.event import headers
from processors.event.headers import ENVELOPE_BYTES, Origin
from processors.routes.outcome import Failed
from streams import topics
from streams.app import settings
from streams.delivery.send import Record, record

log = structlog.get_logger(__name__)

#: Characters of a key that are kept: somebody else's record may have one of any length.
MAX_KEY = 256


def report(
    failed: Failed,
    original: bytes | None,
    *,
    key: str | None = None,
    event_id: str | None = None,
    origin: Origin | None = None,
    received_at: int | None = None,
    event_bus: str | None = None,
    replayed: str | None = None,
) -> Record:
    """The record for the failures topic, cut to what Kafka takes, and one log line that names no personal data."""
    log.warning(
        "event failed",
        stage=failed.stage,
        error=failed.error,
        route=failed.route,
        event_id=event_id,
        origin=str(origin) if origin else None,
        attempts=failed.attempts,
    )
    content = failure_record(failed, original, timestamp=datetime.now(UTC), event_id=event_id, origin=origin)
    made = record(
        topics.failures,
        (key or event_id or "")[:MAX_KEY],
        encode(content, settings.kafka_max_message_bytes - ENVELOPE_BYTES),
        {
            headers.EVENT_ID: event_id,
            headers.ROUTE: failed.route,
            headers.RECEIVED_AT: str(received_at) if received_at is not None else None,
            headers.ORIGIN: str(origin) if origin else None,
            headers.EVENT_BUS: event_bus,
            headers.REPLAYED: replayed,
        },
    )
    # Lines that are no event have no key: an empty one would put all of them on the same partition.
    return made if made.key else replace(made, key=None)
