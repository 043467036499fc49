"""This module remembers for a while which outputs were made, so that a repeated event makes none again.

An output is one event on one route, as that route was then: its mark is a hash of the event id, the route's name
and the route's own text. So an event is mapped again by a route that has changed, and a failure leaves no mark.
Marks stand in the rows of a table, each `{"at": epoch s, "marks": base64}`, 16 bytes a mark.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

MARK_BYTES = 16

#: Parts that the window is divided into; a mark is forgotten with the part it is in.
PARTS = 10


def mark(event_id: str, route: str, fingerprint: str) -> bytes:
    """The mark of an output."""
    return blake2b(f"{event_id}\n{route}\n{fingerprint}".encode(), digest_size=MARK_BYTES).digest()


class Recent:
    """Marks of the last `window_s` seconds, and up to a tenth longer. Times are epoch seconds."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._parts: dict[int, set[bytes]] = {}

    def __contains__(self, mark: bytes) -> bool:
        for part in self._parts.values():  # `any` of it costs four times as much, for every output  # noqa: SIM110
            if mark in part:
                return True
        return False

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts.values())

    def add(self, marks: Iterable[bytes], at: float) -> None:
        """Remember outputs that were made at that time."""
        self._parts.setdefault(self._part(at), set()).update(marks)

    def forget(self, now: float) -> None:
        """Drop what is older than the window."""
        oldest = self._part(now - self._window_s)
        for part in [part for part in self._parts if part < oldest]:
            del self._parts[part]

    def _part(self, at: float) -> int:
        return int(at * PARTS // self._window_s)


def encode_row(marks: Iterable[bytes], at: float) -> dict[str, Any]:
    """The row that holds these marks."""
    return {"at": round(at, 3), "marks": base64.b64encode(b"".join(marks)).decode()}


def decode_row(row: Any) -> tuple[list[bytes], float]:
    """Marks and time of a row. Raises ValueError for what is none (anybody may write to a changelog)."""
    if not isinstance(row, Mapping):
        raise ValueError("not a row of marks")
    try:
        packed, at = base64.b64decode(row["marks"], validate=True), float(row["at"])
    except (KeyError, TypeError, binascii.Error) as error:
        raise ValueError(f"not a row of marks: {error!r}") from None
    if len(packed) % MARK_BYTES:
        raise ValueError(f"not a row of marks: {len(packed)} bytes")
    return [packed[start : start + MARK_BYTES] for start in range(0, len(packed), MARK_BYTES)], at
