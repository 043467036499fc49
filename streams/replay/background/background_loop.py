"""This module runs what operators ask of a worker beside its own work: in an event loop of its own, in a thread.

Reading and parsing some thousand records would hold the worker's loop up for as long, and with it heartbeats and every
event in flight. Here it takes its turn with them instead.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

#: Seconds that work gets to end in order when the worker does.
CLOSE_S = 10.0


class BackgroundLoop:
    """A loop in a thread that is made when it is first needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._running: set[Future[Any]] = set()

    def begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Begin some work; the future is of the thread kind, and cancelling it cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work(), self._started())
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do some work and give what comes of it."""
        return await asyncio.wrap_future(self.begin(work))

    def call(self, function: Callable[[], object]) -> None:
        """Call something there, such as the `set` of an event that work waits for."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)

    async def close(self) -> None:
        """Let what runs come to its end, and end the thread."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        waiting = [asyncio.wrap_future(one) for one in self._running]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOSE_S)
        for one in waiting:
            one.cancel()
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join, CLOSE_S)
        self._loop = self._thread = None

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
    finally:
        loop.close()
