"""This module ends the process when something is wrong that nothing here can fix."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

import structlog

log = structlog.get_logger(__name__)

#: Exit code that says: ended on purpose, nothing acked, start me again (sysexits.h, EX_SOFTWARE).
EXIT_BUG = 70


def die(where: str, error: BaseException) -> NoReturn:
    """End the process without acking or committing anything."""
    log.critical("ending the process: an error has no remedy here", where=where, exc_info=error)
    sys.stderr.flush()
    os._exit(EXIT_BUG)


def end_within(seconds: float, exit_code: Callable[[], int]) -> None:
    """End the process in so many seconds, if it still runs then, whatever it waits for.

    For a stop: a client can wait for its coordinator for ever when a rebalance meets it, and what is not acked by
    then comes again anyway. By a thread, as the loop may be what stands still.
    """

    def leave() -> None:
        log.warning("ending the process: the stop took too long; what is not acked comes again", seconds=seconds)
        sys.stdout.flush()
        os._exit(exit_code())

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
