"""This module bounds the process that runs routes: memory, files, sockets, output."""

from __future__ import annotations

import os
import resource


def _bound(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold events
    try:
        with open("/proc/self/statm", "rb") as sizes:
            now = int(sizes.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:  # not Linux: macOS counts shared libraries as well, some gigabytes, and bounds little
        now = 8 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (now + memory_bytes, now + memory_bytes))


def _silence() -> None:
    """From here on nothing is written to the log: a panic's text repeats pieces of events."""
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
