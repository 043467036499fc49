"""This module reads a moment as people write it: `2h`, `1d12h`, an ISO date or an ISO time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from processors.event.formats import EPOCH

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_AGE = re.compile(r"(?:\d{1,9}[smhdw])+", re.ASCII)
_PART = re.compile(r"(\d+)([smhdw])", re.ASCII)


def moment(text: str, now_ms: int) -> int:
    """Epoch ms of `text`: an age before `now_ms`, or an ISO 8601 time (UTC where it names no zone).

    Raises ValueError with a sentence that says what can be written.
    """
    text = text.strip()
    if _AGE.fullmatch(text):
        age_ms = milliseconds(text)
        if age_ms > now_ms:
            raise ValueError(f"{text!r} lies before 1970")
        return now_ms - age_ms
    try:
        parsed = datetime.fromisoformat(text)
        known = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        epoch_ms = (known - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no moment: write an age (45s, 30m, 2h, 7d, 1d12h) or a time "
            "(2026-11-23, 2026-11-23T10:00:00Z)"
        ) from None
    if epoch_ms < 0:
        raise ValueError(f"{text!r} lies before 1970")
    return epoch_ms


def milliseconds(text: str) -> int:
    """How long an age is, `14d` say. Raises ValueError."""
    if not _AGE.fullmatch(text):
        raise ValueError(f"{text!r} is no age: write 45s, 30m, 12h, 14d or 1d12h")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text))
