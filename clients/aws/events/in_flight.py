"""This module says how many requests may be under way at once: as many as help, and half of it when they are too many.

One more for each round of requests that were answered well, half as many for one that was throttled or not taken, once
a round: so it settles near what the account and the way there carry, whatever that is at the moment (as TCP does).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

#: What it begins with: enough for 400 entries a second at 200 ms, and no burst.
START = 8

#: Fewer would not help: what is throttled then is throttled for other reasons.
LEAST = 2


class InFlight:
    """Slots for requests, at most `most`; an `async with` holds one."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._limit = float(min(START, most))
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._halved_at = -float("inf")

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return int(self._limit)

    async def acquire(self) -> None:
        """Wait for a slot, behind those who wait already."""
        if self._used < self.limit and not self._waiting:
            self._used += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had been given the slot
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self._used -= 1
        self._wake()

    def went_well(self) -> None:
        """A request was answered, and nothing of it throttled: one more for each round, if there was need of all."""
        if self._used >= self.limit:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
            self._wake()

    def was_too_much(self, seconds: float) -> None:
        """A request of so many seconds was throttled, or not taken: half, if it began since the last halving."""
        now = self._clock()
        if now - seconds >= self._halved_at:
            self._halved_at = now
            self._limit = max(float(min(LEAST, self._most)), self._limit / 2)

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.release()

    def _wake(self) -> None:
        while self._waiting and self._used < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._used += 1
                turn.set_result(None)
