"""This module says how long to wait: the clock, the back-off, and what `Retry-After` asks for."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

#: Longest wait that a 429 can ask for: a daily cap asks for hours; Genesys' own SDKs stop at 180 s as well.
RETRY_AFTER_CAP = 180.0

_MESSAGE_SECONDS = re.compile(r"Retry the request in \[?(\d+)\]? seconds")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests need neither: seconds everywhere, `chance` in [0, 1)."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random

    def wall_ms(self) -> int:
        """Now, in epoch ms."""
        return int(self.wall() * 1000)

    async def sleep_unless(self, seconds: float | None, waking: Coroutine[Any, Any, object]) -> bool:
        """Sleep so long (None: for ever), or until `waking` is done; gives whether it woke us."""
        woken: asyncio.Future[Any] = asyncio.ensure_future(waking)
        waits = [woken]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self.sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return woken.done()
        finally:
            for one in waits:
                one.cancel()


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter: a random share of `base` · 2ⁿ seconds, at most `cap`."""

    clock: Clock
    base: float = 1.0
    cap: float = 10.0
    attempts: int = field(default=0, init=False)

    def next(self) -> float:
        """The next wait in seconds."""
        bound: float = min(self.cap, self.base * 2 ** min(self.attempts, 16))
        self.attempts += 1
        return bound * self.clock.chance()

    async def wait(self) -> None:
        await self.clock.sleep(self.next())

    def reset(self) -> None:
        self.attempts = 0


def retry_after(response: httpx.Response, wall: float) -> float | None:
    """Seconds that a 429 or 503 asks to wait, capped at 180; None when it does not say.

    The header holds seconds (Genesys) or an HTTP date (RFC 9110 §10.2.3); Genesys repeats the seconds in the
    message text. `wall` is the time now, in epoch seconds.
    """
    header = response.headers.get("retry-after", "").strip()
    seconds = _seconds(header, wall)
    if seconds is None:
        in_text = _MESSAGE_SECONDS.search(response.text)
        seconds = float(in_text.group(1)) if in_text else None
    return None if seconds is None else min(max(seconds, 0.0), RETRY_AFTER_CAP)


def _seconds(header: str, wall: float) -> float | None:
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.fromtimestamp(wall, UTC)).total_seconds()
