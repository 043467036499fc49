"""This module hands items from several tasks to one consumer: bounded, in order, failures included."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """`put` waits while `capacity` items wait; `get` raises what `fail` was given, after the items."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self._error: BaseException | None = None

    async def put(self, item: Item) -> None:
        while len(self._items) >= self._capacity:
            self._room.clear()
            await self._room.wait()
        self.put_nowait(item)

    def put_nowait(self, item: Item) -> None:
        """Add an item beyond the capacity: for the few that must come before what follows."""
        self._items.append(item)
        self._filled.set()

    async def get(self) -> Item:
        while not self._items:
            if self._error is not None:
                raise self._error
            self._filled.clear()
            await self._filled.wait()
        self._room.set()
        return self._items.popleft()

    def get_nowait(self) -> Item | None:
        """An item that is there, or None."""
        if not self._items:
            return None
        self._room.set()
        return self._items.popleft()

    def fail(self, error: BaseException) -> None:
        """The producers have ended with this error."""
        self._error = error
        self._filled.set()
