"""This module says what a time and a `uuid` are, once: strictly, as both schema validators and the sink want them, and
leniently, as events of Genesys tell times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from processors.event.identity import is_uuid

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)", re.ASCII)
_EPOCH_MS = re.compile(r"\d{13}", re.ASCII)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Epoch ms beyond which a moment is none, where anybody may have written it: a calendar has an end.
MAX_EPOCH_MS = 2**45


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


def instant(value: object) -> datetime | None:
    """The moment that a value tells, in UTC; None when it tells none.

    As Genesys writes times: ISO 8601 with a zone, in any precision (`+0000` as well as `+00:00` and `Z`), or epoch
    milliseconds as a number, also one that is written as a text.
    """
    if isinstance(value, str):
        if _EPOCH_MS.fullmatch(value):
            return instant(int(value))
        return _iso_instant(value) if len(value) <= 40 else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return EPOCH + timedelta(milliseconds=value)
        except (ValueError, OverflowError):
            return None
    return None


@lru_cache(4_096)  # each snapshot of a conversation tells the times of the one before it again
def _iso_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) if _ISO.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def time_text(moment: datetime, precision: str | None = None) -> str:
    """RFC 3339 in UTC: to the precision, by default in milliseconds, or in microseconds where it has some."""
    precision = precision or ("milliseconds" if moment.microsecond % 1000 == 0 else "microseconds")
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def iso(epoch_ms: int) -> str:
    """Epoch ms as RFC 3339 in UTC, with milliseconds."""
    return time_text(EPOCH + timedelta(milliseconds=epoch_ms))


def is_date(text: str) -> bool:
    """Whether `text` is an RFC 3339 full-date."""
    return is_date_time(f"{text}T00:00:00Z")


def is_time(text: str) -> bool:
    """Whether `text` is an RFC 3339 full-time, with its zone."""
    return is_date_time(f"2000-01-01T{text}")


def is_ipv4(text: str) -> bool:
    """Whether `text` is four decimal numbers with dots."""
    return _is_address(IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """Whether `text` is an IPv6 address; a zone is no part of one."""
    return "%" not in text and _is_address(IPv6Address, text)


def _is_address(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return text.isascii()


#: Format name -> check, for strings; other types pass, as JSON Schema wants. Other names are not checked.
FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": is_date_time,
    "date": is_date,
    "time": is_time,
    "uuid": is_uuid,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
}
