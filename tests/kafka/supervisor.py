"""This module looks after workers beside a test, as a supervisor does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two looks.
LOOK_S = 0.5


@contextmanager
def supervised(look: Callable[[], None]) -> Iterator[None]:
    """Have `look` called again and again, by a thread of its own."""
    done = threading.Event()

    def supervise() -> None:
        while not done.wait(LOOK_S):
            look()

    thread = threading.Thread(target=supervise, name="supervisor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
