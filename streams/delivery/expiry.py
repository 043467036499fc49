"""This module tells of events that Kafka deleted before they were processed.

A range of offsets that is gone is held back from the commit, like an event, until a row of it stands on the metrics
topic and it is counted: a crash before that finds it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
import structlog

from processors.delivery.offset_ranges import OffsetRange
from processors.metrics.counts import Counts
from processors.metrics.expired import acknowledged, expired_row, is_expired
from settings import Settings
from streams.delivery.ledger import Ledger
from streams.delivery.record import Record
from streams.delivery.result import Delivery
from streams.exit import die
from streams.faust_patches.partition_books import ExpiredRange
from streams.topology import METRICS_KEY, READ, flow_name

log = structlog.get_logger(__name__)


class Expiry:
    """Hears of each range that is gone (streams/faust_patches/fetch.py)."""

    def __init__(
        self, settings: Settings, delivery: Delivery, ledger: Ledger, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._delivery, self._ledger, self._clock = settings, delivery, ledger, clock
        self._telling: set[asyncio.Task[None]] = set()

    def __call__(self, gone: ExpiredRange) -> None:
        """Log it at once, and tell the tables as soon as Kafka takes it."""
        topic = flow_name(self._settings, gone.topic) or gone.topic
        offsets: OffsetRange = (gone.first, gone.end)
        row = expired_row(topic, gone.partition, offsets, int(self._clock() * 1000), gone.before_ms)
        log.error("expired", topic=topic, partition=gone.partition, events=gone.count, reason=row["reason"])
        task = asyncio.create_task(self._tell(gone, topic, row))
        self._telling.add(task)
        task.add_done_callback(self._reported)

    async def acknowledge(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Note that an operator knows of these rows; gives how many nobody had acknowledged."""
        known = [acknowledged(row) for row in rows if is_expired(row)]
        await self._write(known)
        return len(known)

    async def _tell(self, gone: ExpiredRange, topic: str, row: dict[str, Any]) -> None:
        if topic in READ:
            await self._write([row])
            count_expired(self._delivery.counts, topic, gone.count)
        self._ledger.expired(gone)

    async def _write(self, rows: Iterable[dict[str, Any]]) -> None:
        topic = self._delivery.topics.metrics.get_topic_name()
        await self._delivery.send([Record(topic, METRICS_KEY, orjson.dumps({"gap": row})) for row in rows])

    def _reported(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            die("the telling of what expired", error)  # what is not told would hold up the commit for ever


def count_expired(counts: Counts, topic: str, number: int) -> None:
    """Count events that are gone: those of `raw` had not been counted before, and failures are open no more."""
    counts.add("expired", number)
    if topic == "raw":
        counts.add("raw", number)
    elif topic == "failures":
        counts.add("failures_expired", number)
