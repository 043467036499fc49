"""This module ends the process when something is wrong that nothing here can mend."""

from __future__ import annotations

import os
import sys
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
