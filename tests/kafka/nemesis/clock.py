"""This module gives a worker a wall clock of its own, which jumps when it is told to (clock.c says how).

libfaketime 0.9.10 can do that too, but wakes each thread that waits for Python's lock at once, again and again: a
worker under it took two fifths of a core for 20 events a second, and its event loop stood still for up to a minute.
"""

from __future__ import annotations

import atexit
import shutil
import struct
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

SOURCE = Path(__file__).with_name("clock.c")


@cache
def compiled() -> Path | None:
    """The compiled clock.c; None where there is no C compiler: then clocks do not jump."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    built = Path(mkdtemp(prefix="clock-")) / "clock.so"
    atexit.register(shutil.rmtree, built.parent, ignore_errors=True)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(SOURCE), "-ldl"], check=True)
    return built


@dataclass(frozen=True, slots=True)
class OwnClock:
    """The wall clock of one process; `file` says how far ahead it is."""

    file: Path

    def environment(self) -> dict[str, str]:
        """What the process is started with; nothing where clocks do not jump."""
        self.set(0.0)
        found = compiled()
        return {} if found is None else {"LD_PRELOAD": str(found), "CLOCK_AHEAD": str(self.file)}

    def set(self, ahead_s: float) -> None:
        """Let it jump to so many seconds ahead of the machine's; those that measure time go on as they were."""
        with self.file.open("r+b" if self.file.exists() else "wb") as file:  # the process has it mapped
            file.write(struct.pack("d", ahead_s))
