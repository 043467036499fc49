"""This module runs commands in processes that have imported everything: a command costs what it does, not its start."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.__main__ import COMMANDS, main

for name in COMMANDS:
    importlib.import_module(f"streams.commands.{name}")

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; no code means that it was still running."""

    code: int | None
    out: str
    err: str


def run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, timeout_s: float = 120.0) -> Ended:
    """Run `genesys-eventbridge` with these arguments in a folder, its stdin empty."""
    out, err = folder / ".out", folder / ".err"
    process = _processes.Process(target=_command, args=(tuple(arguments), dict(environment), folder, out, err))
    process.start()
    process.join(timeout_s)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    return Ended(code, out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"))


def _command(arguments: tuple[str, ...], environment: dict[str, str], folder: Path, out: Path, err: Path) -> None:
    for number, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    main(arguments)
