"""This module lets a command end in order when it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

#: A terminal that is closed (SIGHUP) asks as the others do: what is begun is ended, and where it stands is told.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stoppable() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT, SIGTERM or SIGHUP sets; the second ends the process as usual."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in SIGNALS if number != signal.SIGHUP or not under_nohup]

    def on_signal() -> None:
        stop.set()
        _forget(loop, heard)

    for number in heard:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        _forget(loop, heard)


def _forget(loop: asyncio.AbstractEventLoop, heard: Iterable[signal.Signals]) -> None:
    for number in heard:
        loop.remove_signal_handler(number)
