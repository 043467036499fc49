"""This module knows which events have ended and are not acked yet, and when they may be.

A settled event waits, up to half a second, until the counts that tell of it are on the metrics topic; then it is acked.
So neither an event nor its being counted is lost, whatever line the process dies on.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

import orjson
from faust.types import TP

from processors.metrics.counts import Counts, Sums
from streams.delivery.buffer import Batch
from streams.delivery.event import Event
from streams.exit import die
from streams.health import Health

#: Seconds between two flushes: what a crash repeats is about as much as was settled in that time and the commit's.
FLUSH_S = 0.5

#: Seconds that a flush may take before no new batch is begun: what is put out unacked comes again, and fills memory.
HOLD_S = 1.0

#: Seconds that a stage may take over one batch, nothing it waits for being in trouble, before liveness fails.
STALL_S = 300.0


class Ackable(Protocol):
    """What stands for events that are not there any more."""

    def ack(self) -> object: ...


def _nothing(*_: object) -> None:
    """For who does not listen."""


#: Events that have ended, and the batch that they are of.
Settled = tuple[Batch, Sequence[Event]]


class Ledger:
    """Events that have ended and are not acked yet, and the counts that are to be written before they are.

    `write` brings a delta to the metrics topic. `on_written` hears of each one; `before_acks` is called when the
    counts are written and nothing is acked yet, `acknowledge` acks, `after_acks` is called when something was acked.
    `grace_s`: how long a stop waits for Kafka.
    """

    def __init__(
        self,
        counts: Counts,
        health: Health,
        write: Callable[[bytes], Awaitable[None]],
        acknowledge: Callable[[Sequence[Settled]], None],
        *,
        grace_s: float,
        on_written: Callable[[Sums], None] = _nothing,
        before_acks: Callable[[], None] = _nothing,
        after_acks: Callable[[], None] = _nothing,
        hold_s: float = HOLD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts, self._health, self._write = counts, health, write
        self._grace_s, self._hold_s, self._clock = grace_s, hold_s, clock
        self._on_written, self._before_acks, self._after_acks = on_written, before_acks, after_acks
        self._acknowledge = acknowledge
        #: What its deltas are known by, so that none is added twice (processors/metrics/numbered.py).
        self._name, self._numbers = uuid.uuid4().hex[:12], itertools.count(1)
        self._settled: list[Settled] = []
        self._acking: list[list[Settled]] = []
        self._expired: list[Ackable] = []
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: dict[int, tuple[float, Collection[str]]] = {}

    def opened(self, batch: Batch, waits_for: Collection[str]) -> None:
        """Note that a batch is being worked on, and which parts in trouble it may wait for; see `stalled`."""
        self._open[id(batch)] = self._clock(), waits_for

    def closed(self, batch: Batch) -> None:
        """Note that a batch is worked on no more."""
        self._open.pop(id(batch), None)

    def settled(self, batch: Batch, events: Sequence[Event]) -> None:
        """Note that events of a batch have ended; they are acked with the next flush."""
        self._settled.append((batch, events))
        self.start()

    def expired(self, gone: Ackable) -> None:
        """Note that events which are not there any more have been told; they are acked with the next flush."""
        self._expired.append(gone)
        self.start()

    @property
    def is_behind(self) -> bool:
        """Whether there are settled events that are not acked."""
        return bool(self._settled) or any(self._acking)

    def holds(self, tp: TP, offset: int) -> bool:
        """Whether the event with that offset is settled and not acked yet."""
        return any(
            event.offset == offset and event.partition == tp.partition and event.topic == tp.topic
            for settled in (self._settled, *self._acking)
            for batch, events in settled
            if batch.covers(tp, offset)
            for event in events
        )

    def start(self) -> None:
        """Begin to flush each half second; without effect when that is so already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_forever())

    async def flush(self) -> None:
        """Write the counts, then ack what was settled before."""
        delta, settled, self._settled = self._counts.drain(), self._settled, []
        expired, self._expired = self._expired, []
        self._acking.append(settled)
        if delta is not None:
            number = {"by": self._name, "number": next(self._numbers)}
            await self._write_in_time(orjson.dumps({**number, **delta}))
            self._on_written(delta)
        self._before_acks()
        self._acking.remove(settled)
        for gone in expired:
            gone.ack()
        if settled:
            self._acknowledge(settled)
        if settled or expired:
            self._after_acks()

    async def _write_in_time(self, delta: bytes) -> None:
        late = asyncio.get_running_loop().call_later(self._hold_s, self._flowing.clear)
        try:
            await self._write(delta)
        finally:
            late.cancel()
            self._flowing.set()

    async def keep_pace(self) -> None:
        """Wait while a flush does not end, as when this worker is cut off from Kafka."""
        await self._flowing.wait()

    async def close(self) -> None:
        """Flush a last time and end; a flush under way is waited for, as its counts are drained already.

        End who still counts first. Raises TimeoutError when Kafka does not take the counts within the grace:
        nothing is acked then.
        """
        self._closing.set()
        async with asyncio.timeout(self._grace_s):
            if self._task is not None:
                await self._task
            await self.flush()

    def stalled(self) -> str | None:
        """Why this worker should be started again; None while it makes progress or knows what it waits for."""
        now = self._clock()
        stuck = [min(now - since, self._health.seconds_healthy(waits_for)) for since, waits_for in self._open.values()]
        seconds = max(stuck, default=0.0)
        return f"a batch has been worked on for {seconds:.0f} s" if seconds >= STALL_S else None

    async def _flush_forever(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):  # then the time is over
                await asyncio.wait_for(self._closing.wait(), FLUSH_S)
            try:
                await self.flush()
            except Exception as error:
                die("the ledger", error)
