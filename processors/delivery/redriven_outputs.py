"""This module remembers what redrives put on a bus, so that one which was killed and is run again puts it there once.

A redrive writes mapped events to `validated`, past the process stage, which drops repetitions (marks.py). What it had
not noted when it was killed, the next run writes once more.
"""

from __future__ import annotations

from hashlib import blake2b

from processors.delivery.marks import MARK_BYTES, Recent
from processors.event.headers import Meta


class RedrivenOutputs:
    """What was accepted within the window, of one sink: copies of an event have its key, and so its partition."""

    def __init__(self, window_s: float) -> None:
        self._window_s, self._recent = window_s, Recent(window_s)

    def mark(self, meta: Meta, value: bytes | None) -> bytes | None:
        """The mark of what a redrive wrote; None for all else, and for what an operator wants once more.

        The value is part of it: an event that somebody corrected in between is another one.
        """
        if not self._window_s or not meta.straight or meta.command != "redrive" or meta.is_forced:
            return None
        about = f"{meta.event_id}\n{meta.route}\n{meta.event_bus}\n".encode()
        return blake2b(about + (value or b""), digest_size=MARK_BYTES).digest()

    def knows(self, mark: bytes | None) -> bool:
        """Whether it is on the bus."""
        return mark is not None and mark in self._recent

    def accepted(self, mark: bytes | None, at: float) -> None:
        """Note that the bus has it; what is older than the window is forgotten."""
        if mark is not None:
            self._recent.forget(at)
            self._recent.add([mark], at)
