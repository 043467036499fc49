"""This module bounds how many requests a second are sent: AWS counts them by account and region, for all senders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

One = TypeVar("One")
Answer = TypeVar("Answer")


def paced(
    send: Callable[[Sequence[One]], Awaitable[Answer]], rate: float | None
) -> Callable[[Sequence[One]], Awaitable[Answer]]:
    """`send`, at most `rate` times a second, evenly; None is as often as it is called."""
    if rate is None:
        return send
    due = 0.0

    async def at_its_time(what: Sequence[One]) -> Answer:
        nonlocal due
        now = asyncio.get_running_loop().time()
        mine = max(due, now)
        due = mine + 1 / rate
        if mine > now:
            await asyncio.sleep(mine - now)
        return await send(what)

    return at_its_time
