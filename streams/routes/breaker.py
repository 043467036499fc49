"""This module pauses the process stage when most events fail, until an operator says to go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from processors.routes.breaker import BreakerLimits, Flood, Window, tally
from processors.routes.routes import Routed
from streams.health import Health

log = structlog.get_logger(__name__)

#: The part that health names.
PART = "routes"


class FailureBreaker:
    """Lets batches through, until too many of their events fail."""

    def __init__(self, limits: BreakerLimits, health: Health, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = Window(limits)
        self._window_s = limits.window_s
        self._health = health
        self._clock = clock
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._limits, self._renewed = limits, False

    @property
    def paused(self) -> bool:
        """Whether a batch waits for an operator."""
        return not self._resumed.is_set()

    async def admit(self, answers: Iterable[Routed]) -> bool:
        """Count a batch before anything of it is sent; return when it may be.

        False when it has to be mapped again, as the routes have changed while it waited.
        """
        flood = self._window.add(self._clock(), tally(answers))
        if flood is None:
            return True
        self._resumed.clear()
        self._health.trouble(PART, self._reason(flood))
        await self._resumed.wait()
        renewed, self._renewed = self._renewed, False
        return not renewed

    def renew(self) -> None:
        """Begin anew, for other routes; what waits is to be mapped by them."""
        self._window = Window(self._limits)
        if self.paused:
            log.info("resumed by other routes")
            self._renewed = True
            self._health.healthy(PART)
            self._resumed.set()

    def resume(self) -> bool:
        """Let the waiting batch go on; gives whether there was one."""
        if not self.paused:
            return False
        log.info("resumed by an operator")
        self._window.resume(self._clock())
        self._health.healthy(PART)
        self._resumed.set()
        return True

    def _reason(self, flood: Flood) -> str:
        where = f"in route {flood.route}" if flood.route else "before any route"
        return (
            f"paused: {flood.failed} of {flood.taken} events failed within {self._window_s:g} s, "
            f"mostly with {flood.error} {where}; fix the route in ROUTES_DIR, "
            "or run `genesys-eventbridge resume`"
        )
