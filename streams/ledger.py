"""This module knows which events were taken and are not acked yet, and when they may be.

A settled event waits, up to half a second, until the counts that tell of it are on the metrics topic; then it is acked.
So neither an event nor its being counted is lost, whatever line the process dies on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import structlog
from faust import EventT

from processors.report import Counts, Sums
from streams import topics
from streams.app import app, settings
from streams.ending import die
from streams.health import health
from streams.sending import Record, send

log = structlog.get_logger(__name__)

#: The one key of all deltas, so that one worker owns all sums (streams/tables.py); JSON, as the tables' keys are,
#: because Faust's router looks for a key's owner by its serialised form.
METRICS_KEY = orjson.dumps("pipeline")

#: Seconds between two flushes: what a crash repeats is about as much as was settled in that time and the commit's.
FLUSH_S = 0.5

#: Seconds that a stage may take over one batch, nothing being in trouble, before liveness fails.
STALL_S = 300.0

#: One event of a stream; its value is bytes.
Message = EventT[Any]


class Ledger:
    """Events taken and not yet acked, and the counts that are to be written before they are.

    Every event stays referenced here until it is acked: Faust holds them weakly, and commits past one that was
    taken, not acked and then forgotten (streams/hardening.py caps the commit at those it still sees).
    """

    def __init__(self) -> None:
        self.counts = Counts()
        self._taken: dict[int, Message] = {}
        self._settled: list[Message] = []
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._open: dict[int, float] = {}
        self.listeners: list[Callable[[Sums], None]] = []
        self.before_acks: list[Callable[[], None]] = []

    def dropped(self, event: Message) -> None:
        """Note that an event is left to whoever gets it next."""
        self._taken.pop(id(event), None)

    def took(self, event: Message) -> None:
        """Note that an event was taken from its stream."""
        self._taken[id(event)] = event

    def opened(self, batch: Sequence[Message]) -> None:
        """Note that a batch is being worked on; see `stalled`."""
        self._open[id(batch)] = time.monotonic()

    def settled(self, batch: Sequence[Message]) -> None:
        """Note that every event of the batch has ended; it is acked with the next flush."""
        self._open.pop(id(batch), None)
        self._settled.extend(batch)
        self.start()

    def start(self) -> None:
        """Begin to flush each second; without effect when that is so already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_forever())

    async def flush(self) -> None:
        """Write the counts, then ack what was settled before."""
        delta, settled, self._settled = self.counts.drain(), self._settled, []
        if delta is not None:
            await send([Record(topics.metrics.get_topic_name(), METRICS_KEY, orjson.dumps(delta))])
            for listener in self.listeners:
                listener(delta)
        for note in self.before_acks:
            note()
        for event in settled:
            event.ack()
            self._taken.pop(id(event), None)

    async def close(self) -> None:
        """Flush a last time and end; a flush under way is waited for, as its counts are drained already.

        Raises TimeoutError when Kafka does not take the counts within the grace: nothing is acked then.
        """
        self._closing.set()
        async with asyncio.timeout(settings.shutdown_grace):
            if self._task is not None:
                await self._task
            await self.flush()

    def stalled(self) -> str | None:
        """Why this worker should be started again; None while it makes progress or knows its trouble."""
        oldest = min(self._open.values(), default=None)
        if oldest is None or time.monotonic() - oldest < STALL_S or health.known():
            return None
        return f"a batch has been worked on for {time.monotonic() - oldest:.0f} s"

    async def _flush_forever(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):  # then the second is over
                await asyncio.wait_for(self._closing.wait(), FLUSH_S)
            try:
                await self.flush()
            except Exception as error:
                die("the ledger", error)


ledger = Ledger()
counts = ledger.counts


@app.on_before_shutdown.connect
async def _close_ledger(*_: Any, **__: Any) -> None:
    try:
        await ledger.close()
    except TimeoutError:
        log.warning("Kafka did not take the last counts; their events will be delivered again")
