"""This module runs every stage: what its lane was given is processed in batches, and acked when it has ended.

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
from functools import partial
from typing import Any, cast

from faust import EventT
from faust.types import TP

from streams.delivery.buffer import MAX_BYTES, Batch, StageBuffer
from streams.delivery.event import Event
from streams.delivery.ledger import Ledger
from streams.exit import die
from streams.faust_patches.partition_books import Part

Handle = Callable[[Batch], Awaitable[None]]

#: Hears of events of a batch that have ended, before the others.
Ended = Callable[[Sequence[Event]], None]
HandleEach = Callable[[Batch, Ended], Awaitable[None]]


class LeftError(Exception):
    """A batch is left before anything of it was sent."""


class StrayError(Exception):
    """An event came by the stream of a topic that has a lane."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How a stage is fed; `name` is its role as well.

    A batch is cut at `max_events`. It begins with what there is when no other is open; while one is, it waits
    `linger_s` to be full. `open_batches`: how many may be worked on at the same time; with one, batches follow each
    other. `waits_for`: the parts of health that a batch waits for while they are in trouble; one that stands still
    without is a bug (streams/worker/watchdog.py). `alone`: the function says of each event when it has ended
    (HandleEach), so that one that waits does not hold up the others; then `open_events` may be worked on.
    """

    name: str
    max_events: int
    linger_s: float
    waits_for: Collection[str] = ()
    open_batches: int = 1
    max_bytes: int = MAX_BYTES
    alone: bool = False
    open_events: int = 4_000


async def each(stream: Any, where: str, apply: Callable[[EventT[Any]], None]) -> None:
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
    """Runs a stage over its lane, which it is for the consumer (streams/faust_patches/partition_books.py).

    `generation` gives the group's; events of another one are delivered again, maybe to another worker.
    `may_begin` returns when a batch may be begun: not while an operator has paused the stage.
    """

    def __init__(
        self,
        stage: Stage,
        handle: Handle | HandleEach,
        ledger: Ledger,
        generation: Callable[[], int],
        die: Callable[[str, BaseException], Any] = die,
        may_begin: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._stage, self._handle, self._ledger, self._generation, self._die = stage, handle, ledger, generation, die
        self._may_begin = may_begin
        self._buffer = StageBuffer(max_bytes=stage.max_bytes)
        self._open: dict[int, Batch] = {}
        self._open_events = 0
        self._changed = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether no more should be fetched."""
        return self._buffer.is_full

    @property
    def in_flight(self) -> int:
        """Events that wait here or are worked on."""
        return len(self._buffer) + self._open_events

    @property
    def is_busy(self) -> bool:
        """Whether batches are open, or events settled that are not acked yet."""
        return bool(self._open) or self._ledger.is_behind

    def put(self, part: Part) -> None:
        """Take what a fetch has for the stage."""
        self._buffer.put(part)
        self._changed.set()

    def clear(self) -> None:
        """Leave what waits, and what of open batches was not sent, to whoever gets it next."""
        self._buffer.clear()
        for batch in self._open.values():
            batch.leave()

    def holds(self, tp: TP, offset: int) -> bool:
        """Whether an unacked event waits, is worked on, or is settled."""
        if self._buffer.holds(tp, offset) or any(batch.covers(tp, offset) for batch in self._open.values()):
            return True
        return self._ledger.holds(tp, offset)

    async def run(self, stream: Any) -> None:
        """Work for as long as the agent lives; its stream is there so that Faust subscribes to the topic."""
        batches = asyncio.create_task(self._work())
        batches.add_done_callback(self._ended)
        try:
            async for event in stream.noack().events():
                self._die(self._stage.name, StrayError(repr(event)))
        finally:
            batches.cancel()

    async def settle(self, batch: Batch) -> None:
        """Process one batch; returns when every event of it has ended."""
        self._ledger.opened(batch, self._stage.waits_for)
        try:
            if self._stage.alone:
                await cast(HandleEach, self._handle)(batch, partial(self._end, batch))
            else:
                await cast(Handle, self._handle)(batch)
                self._end(batch, batch)
        except LeftError:
            pass
        except Exception as error:  # whatever it is, it is not known to be harmless
            self._die(self._stage.name, error)
        finally:
            if self._open.pop(id(batch), None) is not None:
                self._open_events -= self._buffer.close(batch)
            self._changed.set()
        self._ledger.closed(batch)

    async def next_batch(self) -> Batch:
        """Cut the next batch, when there is something for it and it may begin."""
        while True:
            while not (self._buffer and self._has_room()):
                await self._change()
            if self._stage.linger_s and self._open:
                await self._linger()
            await self._ledger.keep_pace()
            await self._may_begin()
            if batch := self._buffer.cut(self._stage.max_events, self._generation()):
                self._open[id(batch)] = batch
                self._open_events += len(batch)
                return batch

    def _has_room(self) -> bool:
        if self._stage.alone:
            return self._open_events < self._stage.open_events
        return len(self._open) < self._stage.open_batches

    async def _linger(self) -> None:
        with contextlib.suppress(TimeoutError):  # then the time is over
            async with asyncio.timeout(self._stage.linger_s):
                await self._fill()

    async def _fill(self) -> None:
        """Wait until the batch is full, or nothing else is worked on, so that waiting is of no use."""
        while self._open and len(self._buffer) < self._stage.max_events:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _end(self, batch: Batch, events: Sequence[Event]) -> None:
        if batch.generation == self._generation():
            self._ledger.settled(batch, events)
        self._buffer.release(batch, events)
        self._open_events -= len(events)
        self._changed.set()

    def _ended(self, batches: asyncio.Task[None]) -> None:
        if not batches.cancelled() and (error := batches.exception()) is not None:
            self._die("the cutting of batches", error)  # events would wait for ever

    async def _work(self) -> None:
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                task = asyncio.create_task(self.settle(await self.next_batch()))
                running.add(task)
                task.add_done_callback(running.discard)
        finally:
            for task in running:
                task.cancel()
