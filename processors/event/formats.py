"""This module says what `date-time` and `uuid` mean, once, for both schema validators and for the sink."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from processors.event.identity import is_uuid

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 date-time. Raises ValueError for another text.

    A leap second (`:60`) is refused, as Python cannot hold it, and so is a time that in UTC is not within the
    years 1 to 9999, as the SDK cannot send it.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 date-time: {text[:40]!r}")
    time = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    try:
        time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the years 1 to 9999 in UTC: {text[:40]!r}") from None
    return time


def is_date_time(text: str) -> bool:
    """Whether `text` is an RFC 3339 date-time with a zone."""
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


#: Format name -> check, for strings; other types pass, as JSON Schema wants.
FORMATS = {"date-time": is_date_time, "uuid": is_uuid}
