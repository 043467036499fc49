"""This module waits an outage out: what fails is tried again until it is done, and health hears why."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from processors.delivery.retry import outage_backoff

T = TypeVar("T")


async def outlast(
    attempt: Callable[[], Awaitable[T]],
    errors: tuple[type[Exception], ...],
    on_trouble: Callable[[str | None], None],
    *,
    words: Callable[[Exception], str] = str,
    chance: Callable[[], float] = random.random,
) -> T:
    """What `attempt` gives once it raises none of `errors`; `on_trouble` hears each in `words`, and None at the end."""
    number = 0
    while True:
        try:
            done = await attempt()
        except errors as error:
            on_trouble(words(error))
            await asyncio.sleep(outage_backoff(number, chance()))
            number += 1
            continue
        if number:
            on_trouble(None)
        return done
