"""This module remembers what was put on a bus since it was last seen: on one that is gone, that is on no bus."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from processors.delivery.entries import Entry

#: Bytes that an entry takes beyond its texts.
_OVERHEAD = 1_000

#: Confirmed entries that are dropped with each new one, and with each confirmation: seconds of them, dropped at once,
#: would hold up the worker for tens of milliseconds.
_WITH_EACH, _AT_ONCE = 2, 500


class Unconfirmed:
    """Entries of one bus with their keys, from the moment when each was put."""

    #: Bytes of entries that are remembered for one bus; the oldest go first.
    max_bytes = 32 * 1024 * 1024

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: deque[tuple[float, Entry, str]] = deque()
        self._bytes = 0
        self._confirmed_at = -math.inf
        self.forgotten = 0

    def add(self, entry: Entry, key: str) -> None:
        """An entry was accepted just now."""
        self._entries.append((self._clock(), entry, key))
        self._bytes += entry.size + _OVERHEAD
        self._drop_confirmed(_WITH_EACH)
        while self._bytes > self.max_bytes:
            self.forgotten += self._entries[0][0] >= self._confirmed_at
            self._drop()

    def confirm(self, asked_at: float) -> None:
        """The bus was there after `asked_at`: what was put before is on it."""
        self._confirmed_at = max(self._confirmed_at, asked_at)
        self._drop_confirmed(_AT_ONCE)
        self.forgotten = 0

    def take(self) -> list[tuple[Entry, str]]:
        """All that are not confirmed, in the order in which they were put; none is remembered any more."""
        taken = [(entry, key) for at, entry, key in self._entries if at >= self._confirmed_at]
        self._entries.clear()
        self._bytes = 0
        return taken

    def _drop_confirmed(self, most: int) -> None:
        while most and self._entries and self._entries[0][0] < self._confirmed_at:
            self._drop()
            most -= 1

    def _drop(self) -> None:
        self._bytes -= self._entries.popleft()[1].size + _OVERHEAD
