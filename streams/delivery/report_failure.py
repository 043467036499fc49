"""This module writes failure records for the failures topic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from faust import TopicT

from processors.delivery.failure_record import encode_record, failure_record
from processors.event.headers import ENVELOPE_BYTES, Meta, standard_errors
from processors.routes.outcome import Failed
from streams.delivery.record import Record, record

log = structlog.get_logger(__name__)

#: Characters of a key that are kept: somebody else's record may have one of any length.
MAX_KEY = 256


@dataclass(frozen=True, slots=True)
class FailureReporter:
    """Reports failures on `topic`, in records of at most `max_bytes`."""

    topic: TopicT
    max_bytes: int

    def report(self, failed: Failed, original: bytes | None, key: str | None, meta: Meta) -> Record:
        """The record for the failures topic, cut to what Kafka takes, and one log line that names no personal data.

        `meta`: what is known of the event; its route is the failure's.
        """
        log.warning(
            "event failed",
            stage=failed.stage,
            error=failed.error,
            route=failed.route,
            event_id=meta.event_id,
            origin=str(meta.origin) if meta.origin else None,
            attempts=failed.attempts,
        )
        content = failure_record(
            failed, original, timestamp=datetime.now(UTC), event_id=meta.event_id, origin=meta.origin
        )
        made = record(
            self.topic,
            (key or meta.event_id or "")[:MAX_KEY],
            encode_record(content, self.max_bytes - ENVELOPE_BYTES),
            meta._replace(route=failed.route, original=None, straight=False),
        )
        made = replace(made, headers={**made.headers, **standard_errors(failed.error, failed.message, meta.origin)})
        # Lines that are no event have no key: an empty one would put all of them on the same partition.
        return made if made.key else replace(made, key=None)
