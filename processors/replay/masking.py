"""This module masks a failure record for people, by the fields that are masked at intake (REDACT_FIELDS).

What came in before a field was named holds its value still; so may what was made of it, under any name.
"""

from __future__ import annotations

from collections.abc import Iterable

from processors.event.redaction import MASK, redactor
from processors.event.strict_json import JsonObject


def masked_record(record: JsonObject, paths: Iterable[str]) -> JsonObject:
    """The record with those fields of its event masked; what is made of such an event is left out then.

    An original that is no object (bytes that were no JSON, the beginning of one that was cut) cannot be looked
    through, and is withheld as a whole where anything is to be masked.
    """
    redact = redactor(paths)
    if redact is None:
        return record
    original = record.get("originalEvent")
    if isinstance(original, dict):
        shown = redact(original)
        if shown == original:
            return record
        return {**record, **_without_values(record), "originalEvent": shown}
    if original is None:
        return record
    return {**record, **_without_values(record), "originalEvent": MASK}


def _without_values(record: JsonObject) -> JsonObject:
    """The fields that may repeat values of the event, without them."""
    details = record.get("details")
    kept = [
        {name: MASK if name == "message" else value for name, value in detail.items()}
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict)
    ]
    transformed = None if record.get("transformedEvent") is None else MASK
    return {"message": MASK, "details": kept, "transformedEvent": transformed}
