"""This module is what the parts of a worker use of its app's own consumer and producer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

import faust

from streams.delivery.ledger import Settled
from streams.delivery.packed_producer import PackedProducer
from streams.faust_patches import lanes
from streams.faust_patches.heartbeat import is_certain
from streams.faust_patches.partitions import follow_partitions, seconds_uncommitted


class FaustClients:
    """The consumer and the producer of an app, which starts and stops them."""

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._committing: asyncio.Task[None] | None = None
        self._is_commit_due = False

    def acknowledge(self, settled: Sequence[Settled]) -> None:
        """Let the consumer commit past what has ended."""
        lanes.acknowledge(self._app.consumer, ((batch.books, events) for batch, events in settled))

    def commit_soon(self) -> None:
        """Commit what was acked at once: until then a crash repeats it. The timer comes up to half a second later."""
        self._is_commit_due = True
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_what_is_due())

    def is_member(self) -> bool:
        """Whether nobody else can have been given this worker's partitions."""
        return is_certain(self._app.consumer)

    def uncommitted_s(self) -> float:
        """For how long the consumer has not committed what it could."""
        return seconds_uncommitted(self._app.consumer)

    async def follow_partitions(self) -> None:
        """Have the consumer ask for partitions that were added."""
        await follow_partitions(self._app.consumer)

    async def packed_producer(self) -> PackedProducer:
        """The producer, as stages send by it; Faust's tables send their rows by themselves."""
        return PackedProducer((await self._producer())._producer, self._app.conf.producer_max_request_size)

    async def client(self) -> Any:
        """The producer's client, which knows brokers and topics."""
        return (await self._producer())._producer.client

    async def partitions(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each of these topics has, as of the watchdog's latest look."""
        known = (await self.client()).cluster
        counts = {name: len(known.partitions_for_topic(name) or ()) for name in topics}
        return {name: number for name, number in counts.items() if number}

    async def _commit_what_is_due(self) -> None:
        consumer = cast(Any, self._app.consumer)
        while self._is_commit_due:
            await consumer.maybe_wait_for_commit_to_finish()  # that of the timer: a commit beside it would do nothing
            self._is_commit_due = False
            await consumer.commit()

    async def _producer(self) -> Any:
        return cast(Any, await self._app.maybe_start_producer())
