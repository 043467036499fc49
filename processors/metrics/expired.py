"""This module is the row of events that Kafka deleted before they were processed, beside the gaps of the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from processors.event.formats import instant, time_text

#: What a row's `state` says until an operator has acknowledged it, and from then on.
EXPIRED, ACKNOWLEDGED = "expired", "acknowledged"

#: Rows that a reason names one by one.
MAX_NAMED = 3

COMMAND = "genesys-eventbridge acknowledge"


def expired_row(
    topic: str, partition: int, offsets: tuple[int, int], noticed_ms: int, before_ms: int | None
) -> dict[str, Any]:
    """The row: how many are gone at most, from where, and when they were written.

    `before_ms`: when the first record that is left was written (epoch ms), None when none is.
    """
    first, end = offsets
    before = instant(before_ms)
    age = f", written before {time_text(before)}" if before is not None else ""
    what = "records of counts" if topic == "metrics" else "events"
    where = f"{topic} partition {partition}, offsets {first} to {end - 1}{age}"
    return {
        "topic": topic,
        "part": partition,
        "first": first,
        "end": end,
        "start_ms": noticed_ms,
        "end_ms": noticed_ms,
        "before_ms": before_ms,
        "state": EXPIRED,
        "events": end - first,
        "reason": f"{end - first} {what} are gone: Kafka deleted them before they were processed ({where})",
    }


def is_expired(row: Any) -> bool:
    """Whether a row tells of events that are gone and that nobody has acknowledged."""
    return isinstance(row, Mapping) and row.get("state") == EXPIRED and isinstance(row.get("events"), int)


def range_key(row: Mapping[str, Any]) -> str | None:
    """The key of such a row: the same range that is found again has the same; None for a gap of the source."""
    first = row.get("first")
    return f"{row['topic']}/{row['part']}/{first}" if "topic" in row and isinstance(first, int) else None


def acknowledged(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row once an operator knows of it."""
    return {**row, "state": ACKNOWLEDGED}


def expiry_reason(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """What health says of the rows that nobody has acknowledged; None when there are none."""
    found = [row for row in rows if is_expired(row)]
    if not found:
        return None
    total = sum(row["events"] for row in found)
    named = [f"{row['events']} of {row.get('topic')} {row.get('part')}" for row in found[:MAX_NAMED]]
    more = [f"{len(found) - MAX_NAMED} more ranges"] if len(found) > MAX_NAMED else []
    return (
        f"Kafka deleted {total} events before they were processed ({', '.join([*named, *more])}); "
        f"see /api/tables/gaps/, and acknowledge by `{COMMAND}`"
    )
