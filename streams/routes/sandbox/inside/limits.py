"""This module bounds the process that runs routes: memory, files, sockets, output."""

from __future__ import annotations

import os
import resource


def bound_process(memory_bytes: int) -> None:
    """From here on the process may take so many bytes of memory more, and leaves no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold events
    try:
        with open("/proc/self/statm", "rb") as sizes:
            now = int(sizes.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:  # not Linux: macOS counts shared libraries as well, some gigabytes, and bounds little
        now = 8 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (now + memory_bytes, now + memory_bytes))


def silence_log() -> None:
    """From here on nothing is written to the log: a panic's text repeats pieces of events."""
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
