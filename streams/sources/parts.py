"""This module reads the parts of the source that this worker owns, each from where its last reader stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import orjson
import structlog

from clients.genesys.notifications.gap_healer import GapReport
from clients.genesys.rest.errors import GenesysError
from clients.genesys.rest.observer import CountName
from processors.metrics.counts import Counts
from streams.delivery.ledger import Ledger
from streams.delivery.record import Record
from streams.delivery.result import Delivery
from streams.exit import die
from streams.health import Health
from streams.sources.checkpoints import Checkpoint
from streams.sources.genesys import OpenSource
from streams.sources.intake import Intake
from streams.topology import METRICS_KEY

log = structlog.get_logger(__name__)

#: What the client counts -> our counter.
COUNTED: dict[CountName, str] = {
    "frame_duplicate": "source_repeats",
    "frame_unchanged": "unchanged",
    "event_backfilled": "healed",
    "queue_name_missing": "names_missing",
    "topic_rejected": "topics_rejected",
    "topic_lost": "topics_lost",
    "topic_left_out": "topics_left_out",
    "gap_opened": "gaps",
    "gap_partly_healed": "gaps_partly_healed",
    "gap_lost": "gaps_lost",
}

#: Seconds between two looks whether a part's checkpoint has moved.
CHECKPOINT_S = 1.0


class Source(Protocol):
    """What is read in parts."""

    def open(
        self, part: int, on_gap: Callable[[GapReport], Awaitable[None]]
    ) -> AbstractAsyncContextManager[OpenSource]:
        """Open a part where its last reader stopped. Raises GenesysError when Genesys refuses for good."""
        ...


class PartReaders:
    """The readers of this worker's parts. `end_worker` is called when Genesys refuses to serve."""

    checkpoint_s = CHECKPOINT_S

    def __init__(
        self, source: Source, intake: Intake, delivery: Delivery, health: Health, end_worker: Callable[[str], Any]
    ) -> None:
        self._source, self._intake, self._delivery = source, intake, delivery
        self._health, self._end_worker = health, end_worker
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._refused = False

    async def own(self, parts: set[int]) -> None:
        """Read these parts from now on: start what is new, end what is gone, go on with what stays."""
        await self._end([part for part in self._readers if part not in parts])
        for part in parts - set(self._readers):
            self._readers[part] = asyncio.create_task(self.read(part))
            self._readers[part].add_done_callback(self._ended)

    async def close(self) -> None:
        """End all readers; what has been read still gets to Kafka."""
        await self._end(list(self._readers))

    async def read(self, part: int) -> None:
        """Read a part until it is ended."""
        try:
            async with self._source.open(part, self.note_gap) as opened:
                remembering = asyncio.create_task(self._remember(part, opened))
                remembering.add_done_callback(_watched)
                try:
                    await self._intake.pump(opened.batches, opened.settled)
                finally:
                    remembering.cancel()
                    await asyncio.gather(remembering, return_exceptions=True)
        except GenesysError as error:
            if not self._refused:  # the other parts meet the same one
                self._refused = True
                self._end_worker(f"Genesys Cloud refuses to serve events: {error}")

    async def _end(self, parts: Iterable[int]) -> None:
        tasks = [self._readers.pop(part) for part in parts]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks and not self._readers:
            self._health.healthy("genesys")

    def _ended(self, reader: asyncio.Task[None]) -> None:
        error = asyncio.CancelledError() if reader.cancelled() else reader.exception()
        if error is not None and reader in self._readers.values():
            die("the source", error)  # nobody else would notice that a part is not read any more

    async def _remember(self, part: int, opened: OpenSource) -> None:
        """Write the part's checkpoint, when it has moved."""
        known: Checkpoint | None = None
        topic = self._delivery.topics.sources.get_topic_name()
        while opened.checkpoint is not None:
            await asyncio.sleep(self.checkpoint_s)
            now = opened.checkpoint()
            if now != known:
                await self._delivery.send([Record(topic, str(part).encode(), now.encode(), partition=part)])
                known = now

    async def note_gap(self, gap: GapReport) -> None:
        """Tell the tables of a gap: found, healed (wholly or partly), or lost."""
        row = {
            "part": gap.part,
            "start_ms": gap.interval.start_ms,
            "end_ms": gap.interval.end_ms,
            "state": gap.state,
            "events": gap.events,
            "reason": gap.reason,
        }
        log.log(logging.ERROR if gap.state == "lost" else logging.WARNING, "gap", **row)
        topic = self._delivery.topics.metrics.get_topic_name()
        await self._delivery.send([Record(topic, METRICS_KEY, orjson.dumps({"gap": row}))])


def counting(counts: Counts, ledger: Ledger) -> Callable[[CountName, int], None]:
    """Hears what the client counts, and counts what of it is ours; the ledger writes it though no event comes."""

    def count(name: CountName, amount: int) -> None:
        if name in COUNTED:
            counts.add(COUNTED[name], amount)
            ledger.start()

    return count


def _watched(writing: asyncio.Task[None]) -> None:
    if not writing.cancelled() and (error := writing.exception()) is not None:
        die("the writing of checkpoints", error)  # with a position that stands still, gaps would grow for ever
