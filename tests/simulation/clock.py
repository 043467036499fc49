"""This module is the simulation's clock: an event loop whose time jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import time
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from typing import Any, Protocol

#: Epoch seconds at which every history begins.
EPOCH = 1_790_000_000.0


class Owner(Protocol):
    """A process: what it begins ends with it, and stands still with it."""

    frozen_until: float

    def owns(self, task: asyncio.Task[Any]) -> None:
        """Take a task in."""
        ...


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)


def _owned(loop: Any, coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
    """Tasks belong to the process that begins them, however deep in it."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=context)
    owner = (context or copy_context()).get(OWNER)
    if owner is not None:
        owner.owns(task)
    return task


class StandstillError(Exception):
    """Nothing will ever happen again: every task waits for another one."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that waits for nothing: what happens, and when, follows from the program alone."""

    def __init__(self) -> None:
        self.now = self.anybody_frozen_until = 0.0
        self._deferred = 0
        super().__init__(_Jumps(self))
        self.errors: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.errors.append(context))

        self.set_task_factory(_owned)

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Not before the process that it belongs to goes on."""
        owner = (context or copy_context()).get(OWNER) if self.anybody_frozen_until > self.now else None
        if owner is None or owner.frozen_until <= self.now:
            return super().call_soon(callback, *args, context=context)
        self._deferred += 1  # in the order in which they came
        return self.call_at(owner.frozen_until + self._deferred * 1e-9, callback, *args, context=context)

    def next_timer(self) -> float | None:
        """When the next timer is due."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # a heap, whose head is alive
        return timers[0].when() if timers else None


class _Jumps(selectors.BaseSelector):
    """No descriptor is ever ready; a wait moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._keys.setdefault(fileobj, selectors.SelectorKey(fileobj, fileobj, events, data))

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> dict[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError
        if timeout > 0:
            self._loop.now = max(self._loop.now, self._loop.next_timer() or 0.0)
        return []


@contextlib.contextmanager
def virtual_time(seed: int) -> Iterator[VirtualLoop]:
    """A loop for one history. Clock and chance of the whole process are the history's while it lasts."""
    loop, chance = VirtualLoop(), random.getstate()
    clocks = time.monotonic, time.time
    random.seed(seed)
    time.monotonic, time.time = loop.time, lambda: EPOCH + loop.now
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        time.monotonic, time.time = clocks
        random.setstate(chance)
        asyncio.set_event_loop(None)
        _end(loop)


def _end(loop: VirtualLoop) -> None:
    """End what still runs, without a word of it: the history is over. What is frozen ends when it goes on."""
    for _ in range(5):
        left = asyncio.all_tasks(loop)
        if not left:
            break
        for task in left:
            task.cancel()
        with contextlib.suppress(StandstillError):
            thawed_in = max(0.0, loop.anybody_frozen_until - loop.now)
            loop.run_until_complete(asyncio.wait(left, timeout=thawed_in + 1.0))
    left = asyncio.all_tasks(loop)
    loop.close()
    if left:  # Python tells of each of them later, in the middle of another test
        raise RuntimeError(f"{len(left)} tasks outlive their history: {left}")
