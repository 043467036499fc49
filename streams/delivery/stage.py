"""This module runs every stage: it alone knows how Faust acks.

A stage is a function over a batch: when it returns, each event of the batch is forwarded, reported or dropped,
and what it sent is on the broker (streams/delivery/send.py). Only then is the batch noted as settled in the ledger,
which acks it when its counts are written too (streams/delivery/ledger.py). Unacked events are delivered again.

An error that leaves a stage is a bug. The process ends at once (exit 70), unacked and uncommitted, because an
error that left a Faust agent would ack its event (faust/streams.py), and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from streams.delivery.buffer import MAX_BYTES, BoundedBuffer
from streams.delivery.event import Event
from streams.delivery.ledger import Ledger
from streams.exit import die

Handle = Callable[[Sequence[Event]], Awaitable[None]]

#: Hears of events of a batch that have ended, before the others.
Ended = Callable[[Sequence[Event]], None]
HandleEach = Callable[[Sequence[Event], Ended], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stage:
    """How a stage is fed; `name` is its role as well.

    A batch is cut at `max_events`, or `linger_s` after its first event. `open_batches`: how many may be worked
    on at the same time; with one, batches follow each other. `waits_for`: the parts of health that a batch waits
    for while they are in trouble; one that stands still without is a bug (streams/worker/watchdog.py). `alone`:
    the function says of each event when it has ended (HandleEach), so that one that waits does not hold up the others.
    """

    name: str
    max_events: int
    linger_s: float
    waits_for: Collection[str] = ()
    open_batches: int = 1
    max_bytes: int = MAX_BYTES
    alone: bool = False


async def each(stream: Any, where: str, apply: Callable[[Event], None]) -> None:
    """Apply events one after the other inside the agent, where alone Faust lets tables be changed; then ack."""
    async for event in stream.noack().events():
        try:
            apply(event)
        except Exception as error:
            die(where, error)
        event.ack()


async def _at_once() -> None:
    """For a stage that nobody pauses."""


class StageRunner:
    """Runs a stage over one stream.

    `is_current`: whether an event is still this worker's; one from before a rebalance is delivered again, maybe to
    another. `may_begin` returns when a batch may be begun: not while an operator has paused the stage.
    """

    def __init__(
        self,
        stage: Stage,
        handle: Handle | HandleEach,
        ledger: Ledger,
        is_current: Callable[[Event], bool],
        die: Callable[[str, BaseException], Any] = die,
        may_begin: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._stage, self._handle, self._ledger, self._is_current, self._die = stage, handle, ledger, is_current, die
        self._may_begin = may_begin
        self._buffer = BoundedBuffer(stage.max_events, stage.max_bytes)

    async def run(self, stream: Any) -> None:
        """Work until the stream ends."""
        batches = asyncio.create_task(self._work())
        batches.add_done_callback(self._ended)
        try:
            # noack() first: stock take() gives the stream its acks back while events are still in flight.
            async for event in stream.noack().events():
                self._ledger.took(event)
                await self._buffer.put(event)
        finally:
            batches.cancel()

    async def settle(self, batch: list[Event]) -> None:
        """Work one batch off; returns when every event of it has ended."""
        self._ledger.opened(batch, self._stage.waits_for)
        try:
            if self._stage.alone:
                await cast(HandleEach, self._handle)(batch, self._end)
            else:
                await cast(Handle, self._handle)(batch)
                self._end(batch)
        except Exception as error:  # whatever it is, it is not known to be harmless
            self._die(self._stage.name, error)
        self._ledger.closed(batch)

    def _end(self, events: Sequence[Event]) -> None:
        self._ledger.settled([event for event in events if self._is_current(event)])
        self._ledger.dropped([event for event in events if not self._is_current(event)])
        self._buffer.release(events)

    async def next_batch(self) -> list[Event]:
        """Cut the next batch; waits for its first event, and takes what waits already without a timer."""
        batch = [await self._first()]
        self._fill(batch)
        if self._stage.linger_s and len(batch) < self._stage.max_events:
            with contextlib.suppress(TimeoutError):  # then the time is over
                await self._linger(batch)
        return batch

    async def _linger(self, batch: list[Event]) -> None:
        async with asyncio.timeout(self._stage.linger_s):
            while len(batch) < self._stage.max_events:
                batch.append(await self._next_current())
                self._fill(batch)

    def _fill(self, batch: list[Event]) -> None:
        while len(batch) < self._stage.max_events and not self._buffer.empty():
            event = self._buffer.get_nowait()
            if self._is_current(event):
                batch.append(event)
            else:
                self._leave(event)

    def _ended(self, batches: asyncio.Task[None]) -> None:
        if not batches.cancelled() and (error := batches.exception()) is not None:
            self._die("the cutting of batches", error)  # events would wait for ever

    async def _work(self) -> None:
        slots = asyncio.Semaphore(self._stage.open_batches)
        running: set[asyncio.Task[None]] = set()

        async def work_off(batch: list[Event]) -> None:
            await self.settle(batch)
            slots.release()

        try:
            while True:
                await slots.acquire()
                task = asyncio.create_task(work_off(await self.next_batch()))
                running.add(task)
                task.add_done_callback(running.discard)
        finally:
            for task in running:
                task.cancel()

    async def _first(self) -> Event:
        """The next event, when a batch may begin; waiting for that it may become another worker's."""
        while True:
            event = await self._next_current()
            await self._ledger.keep_pace()
            await self._may_begin()
            if self._is_current(event):
                return event
            self._leave(event)

    async def _next_current(self) -> Event:
        """The next event that is still this worker's."""
        while True:
            event = await self._buffer.get()
            if self._is_current(event):
                return event
            self._leave(event)

    def _leave(self, event: Event) -> None:
        self._ledger.dropped([event])
        self._buffer.release([event])
