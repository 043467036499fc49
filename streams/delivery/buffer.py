"""This module is the bounded buffer between a stream and its stage: bounded in events and in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from streams.delivery.event import Event

#: Bytes of values that a stage holds at most: what else belongs to an event is a few times as much.
MAX_BYTES = 32 * 1024 * 1024


class BoundedBuffer(asyncio.Queue[Event]):
    """Events of one stage that wait for their batch; there is room for `max_bytes` of all that are not settled.

    One that is larger than that is taken alone.
    """

    def __init__(self, max_events: int, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(max_events)
        self._max_bytes = max_bytes
        self._held = 0
        self._released = asyncio.Event()

    async def put(self, event: Event) -> None:
        """Wait for room, then add the event."""
        size = len(event.value or b"")
        while self._held and self._held + size > self._max_bytes:
            self._released.clear()
            await self._released.wait()
        self._held += size
        await super().put(event)

    def release(self, events: Iterable[Event]) -> None:
        """Give the room of events back that are settled or left."""
        self._held -= sum(len(event.value or b"") for event in events)
        self._released.set()
