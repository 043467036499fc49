"""This module bounds how many events a second are written."""

from __future__ import annotations

import asyncio


class Pace:
    """Holds back so that no more than `rate` events a second go; None is as fast as they go."""

    def __init__(self, rate: float | None, stop: asyncio.Event) -> None:
        self._rate = rate
        self._stop = stop
        self._done = 0
        self._began: float | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether there is a reason to stop."""
        return self._stop.is_set()

    def chunk(self, most: int) -> int:
        """How many events to take at a time, so that the pace is even within a second."""
        return most if self._rate is None else max(1, min(most, int(self._rate / 4)))

    async def after(self, number: int) -> None:
        """Wait until `number` more events may have gone, or until there is a reason to stop."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        self._done += number
        wait_s = self._began + self._done / self._rate - now
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._stop.wait()
            except TimeoutError:
                return
