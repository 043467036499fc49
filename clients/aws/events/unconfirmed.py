"""This module remembers what was put on a bus since it was last seen: on one that is gone, that is on no bus."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from processors.delivery.entries import Entry

#: Bytes that an entry takes beyond its texts.
_OVERHEAD = 1_000


class Unconfirmed:
    """Entries of one bus with their keys, from the moment when each was put."""

    #: Bytes of entries that are remembered for one bus; the oldest go first.
    max_bytes = 32 * 1024 * 1024

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: deque[tuple[float, Entry, str]] = deque()
        self._bytes = 0
        self.forgotten = 0

    def add(self, entry: Entry, key: str) -> None:
        """An entry was accepted just now."""
        self._entries.append((self._clock(), entry, key))
        self._bytes += entry.size + _OVERHEAD
        while self._bytes > self.max_bytes:
            self._drop()
            self.forgotten += 1

    def confirm(self, asked_at: float) -> None:
        """The bus was there after `asked_at`: what was put before is on it."""
        while self._entries and self._entries[0][0] < asked_at:
            self._drop()
        self.forgotten = 0

    def take(self) -> list[tuple[Entry, str]]:
        """All of them, in the order in which they were put; none is remembered any more."""
        taken = [(entry, key) for _, entry, key in self._entries]
        self._entries.clear()
        self._bytes = 0
        return taken

    def _drop(self) -> None:
        self._bytes -= self._entries.popleft()[1].size + _OVERHEAD
