"""This module holds what PutEvents takes, so that a mapped event is refused here and not on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from processors.event.errors import InvalidEventError, MappingError, Violation
from processors.event.formats import is_date_time
from processors.event.strict_json import JsonObject, has_foreign_number

#: What of a mapped event is read: all but the id, which is the pipeline's own, goes into the entry.
ENTRY_FIELDS = ("source", "detail-type", "detail", "time", "resources", "id")

#: Characters and bytes of an entry's fields, and what all of it may come to (EventBridge API reference and user guide).
MAX_DETAIL_TYPE = 128
MAX_SOURCE = 256
MAX_RESOURCE_BYTES = 2_048
MAX_ENTRY_BYTES = 1_000_000

#: Bytes that a Time counts for, whatever it is (EventBridge user guide, eb-putevent-size).
TIME_BYTES = 14


#: What JSON has for a number that is none, or beyond int64, and for some others.
_ODD_NUMBER = re.compile(rb"null|\d{19}")


def check_shape(entry: JsonObject, written: bytes | None) -> None:
    """Refuse what is no entry at all (types of its fields, int64). Raises MappingError.

    `written`: the entry as JSON; None where there is no word for something in it.
    """
    problems = [name for name in ("source", "detail-type") if not isinstance(entry.get(name), str) or not entry[name]]
    if not isinstance(entry.get("detail"), dict):
        problems.append("detail")
    if not _is_text_list(entry.get("resources", [])):
        problems.append("resources")
    time = entry.get("time")
    if time is not None and not (isinstance(time, str) and is_date_time(time)):
        problems.append("time")
    if problems:
        raise MappingError(f"PutEvents cannot take the mapped {', '.join(problems)}", code="MalformedEntry")
    is_odd = written is None or _ODD_NUMBER.search(written)
    if is_odd and has_foreign_number(entry["detail"]):
        raise MappingError("the mapped detail holds an integer beyond int64 or no number", code="NumberOutOfRange")


def check_limits(entry: JsonObject, written: bytes, *, may_be_large: bool = False) -> None:
    """Refuse an entry of the right shape that is beyond a limit. `written`: the entry as JSON.

    `may_be_large`: its detail goes to S3 where it is too large for the bus.

    Raises InvalidEventError with a violation for each field.
    """
    found = list(_violations(entry))
    if found:
        paths = ", ".join(f"{item.path} {item.message}" for item in found)
        raise InvalidEventError(f"PutEvents would refuse it: {paths}"[:1000], code="EntryLimits", details=found)
    # What is written has every byte that AWS counts, and more: most entries are never measured.
    if not may_be_large and len(written) > MAX_ENTRY_BYTES and (size := entry_bytes(entry)) > MAX_ENTRY_BYTES:
        message = f"the entry has {size} bytes, PutEvents takes {MAX_ENTRY_BYTES}"
        violation = Violation("detail", "maxBytes", f"has {size} bytes with the rest of the entry")
        raise InvalidEventError(message, code="EntryTooLarge", details=[violation])


def _violations(entry: JsonObject) -> Iterator[Violation]:
    if len(entry["detail-type"]) > MAX_DETAIL_TYPE:
        yield Violation("detail-type", "maxLength", f"has more than {MAX_DETAIL_TYPE} characters")
    if len(entry["source"]) > MAX_SOURCE:
        yield Violation("source", "maxLength", f"has more than {MAX_SOURCE} characters")
    if entry["source"].startswith("aws."):
        yield Violation("source", "pattern", "begins with aws., which only AWS itself may send")
    for index, resource in enumerate(entry.get("resources") or ()):
        if len(resource) * 4 > MAX_RESOURCE_BYTES and len(resource.encode(errors="replace")) > MAX_RESOURCE_BYTES:
            yield Violation(f"resources.{index}", "maxLength", f"has more than {MAX_RESOURCE_BYTES} bytes")


def unread_fields(entry: JsonObject) -> str:
    """What to say of fields that go nowhere; empty when there are none. Consumers only get what is in `detail`."""
    unread = [name for name in entry if name not in ENTRY_FIELDS]
    known = ", ".join(ENTRY_FIELDS)
    return f"nothing reads {', '.join(unread)} of the mapped event, which has {known}" if unread else ""


def entry_bytes(entry: JsonObject) -> int:
    """Bytes of the entry as AWS counts them."""
    texts = [entry["source"], entry["detail-type"], *(entry.get("resources") or ())]
    time = TIME_BYTES if entry.get("time") is not None else 0
    return len(orjson.dumps(entry["detail"])) + sum(len(text.encode()) for text in texts) + time


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
