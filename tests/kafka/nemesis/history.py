"""This module keeps what happened in a run of composed faults, as JSON lines."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self


class History:
    """A context manager; each line has `t` (seconds since the beginning), `at` (epoch ms) and `event`."""

    def __init__(self, file: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self._file = file.open("x", encoding="utf-8")
        self._say = say
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self.spans: list[tuple[str, float, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def begin(self) -> int:
        """Count seconds from now on; gives this moment in epoch ms."""
        self._began = time.monotonic()
        return int(time.time() * 1000)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def note(self, event: str, **figures: Any) -> None:
        """Write a line."""
        line = {"t": round(self.seconds, 2), "at": int(time.time() * 1000), "event": event, **figures}
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        self._say(f"{line['t']:7.1f} s  {event:16}" + " ".join(f"{name}={value}" for name, value in figures.items()))

    def span(self, fault: str, began: float) -> None:
        """Note that a fault which began then has ended now."""
        with self._lock:
            self.spans.append((fault, began, self.seconds))
