"""This module starts programs of the project in processes that have imported everything: one costs what it does.

Such a process is forked from one that has the modules and has run nothing (`python -m streams` takes 1.5 s of CPU to
import what it needs). It is an operator's in all else: session, environment, signals, exit code, what it starts itself.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from streams.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]

#: What can be started here. A module of tests that changes what it runs does so before all is imported: not here.
PROGRAMS = ("streams", "emulators.aws", "emulators.genesys")

#: What programs import; what reads the environment when it is imported (streams/app.py, agents/) is not among it.
MODULES = (
    *(f"streams.commands.{name}" for name in COMMANDS),
    "streams.pipeline",
    "streams.worker.runner",
    "streams.faust_patches.apply",
    "emulators.aws.emulator",
    "emulators.genesys.emulator",
)

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([*MODULES, __name__])


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended; no code means that it was still running."""

    code: int | None
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Process:
    """A program that was started: of `subprocess.Popen` what is asked of one whose output goes to files."""

    command: tuple[str, ...]
    out: Path
    err: Path
    _process: ForkServerProcess
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None  # it was started
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Its exit code; None while it runs, negative for the signal that it died of. Any thread may ask."""
        with self._one:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, when it has ended. Raises subprocess.TimeoutExpired."""
        connection.wait([self._process.sentinel], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a program runs, and where its output goes: `err` may be the file of `out`."""

    environment: Mapping[str, str]
    folder: Path
    out: Path
    err: Path
    given: bytes = field(default=b"", repr=False)


def start(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    out: Path,
    err: Path | None = None,
    folder: Path = ROOT,
    stdin: bytes = b"",
) -> Process:
    """Start one of PROGRAMS with these arguments, as `python -m module` does, in a session of its own."""
    assert module in PROGRAMS, module
    place = _Place(dict(environment), folder, out, err or out, stdin)
    process = _processes.Process(target=_main, args=(module, tuple(arguments), place), daemon=True)
    process.start()
    return Process((module, *arguments), place.out, place.err, process)


def announced(process: Process | subprocess.Popen[bytes], out: Path, err: Path, timeout_s: float = 60.0) -> Any:
    """What an emulator tells in its first line. Raises RuntimeError when it ends or tells nothing."""
    ends = time.monotonic() + timeout_s
    while not (line := out.read_bytes() if out.exists() else b"").endswith(b"\n"):
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"no emulator came of {process.pid}: {err.read_text('utf-8', 'replace')}")
        time.sleep(0.02)  # between two looks
    return json.loads(line)


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path = ROOT,
    stdin: bytes = b"",
    timeout_s: float = 120.0,
) -> Ended:
    """Run `genesys-eventbridge` with these arguments in a folder."""
    with tempfile.TemporaryDirectory(prefix="forked-") as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        process = start("streams", arguments, environment, out, err, folder, stdin)
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
            process.wait()
        return Ended(code, out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"))


def _main(module: str, arguments: tuple[str, ...], place: _Place) -> None:
    """Become the program: its files, folder, session and environment, and the signals that nohup would leave out."""
    gc.freeze()  # what was there before it: to look through that again and again would copy its memory
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with tempfile.TemporaryFile() as given:
        given.write(place.given)
        given.seek(0)
        os.dup2(given.fileno(), 0)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    for number, file in ((1, place.out), (2, place.err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(place.folder)
    os.environ.clear()
    os.environ.update(place.environment)
    sys.argv = [module, *arguments]
    sys.modules.pop(f"{module}.__main__", None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
