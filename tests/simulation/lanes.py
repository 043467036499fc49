"""This module is the simulation of lanes: whole fetches to the project's stage and ledger, which ack by ranges."""

from __future__ import annotations

import asyncio

from faust.types import TP

from processors.metrics.counts import Counts
from streams.delivery import ledger
from streams.delivery.buffer import Batch, StageBuffer
from streams.delivery.event import Event
from streams.delivery.ledger import Ledger, Settled
from streams.delivery.stage import Ended, Stage, StageRunner
from streams.faust_patches import lanes
from streams.faust_patches.partition_books import Part
from streams.health import Health
from tests.simulation.worker import Worker
from tests.simulation.world import TOPIC, World


class WatchedRunner(StageRunner):
    """The stage's runner, which tells what it was given and what it begins with."""

    def __init__(self, worker: LaneWorker) -> None:
        super().__init__(
            worker.stage, worker.handle, worker.ledger, lambda: worker.app.consumer_generation_id, worker.world.die
        )
        self._worker = worker
        self._buffer = StageBuffer(max_events=worker.chance.choice((4, 16, 4096)))
        self._generations: dict[int, tuple[Event, int]] = {}

    def put(self, part: Part) -> None:
        for record in part.records:
            self._worker.note_given(part.tp, record.offset)
            self._generations[id(record)] = record, part.generation
        super().put(part)

    async def next_batch(self) -> Batch:
        worker = self._worker
        await asyncio.sleep(max(0.0, worker.held_until - worker.world.loop.time()))
        batch = await super().next_batch()
        for event in batch:
            if self._generations.pop(id(event))[1] != worker.app.consumer_generation_id:
                worker.world.violated("what is from before a rebalance is not begun", repr(event))
        return batch


class LaneWorker(Worker):
    """A worker whose stage ends each event by itself, after a while, in whatever order."""

    stage = Stage("sink", max_events=6, linger_s=0.0, alone=True, open_events=30)

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.health, self.counts = Health(), Counts()
        self.ledger = Ledger(
            self.counts,
            self.health,
            self._write_counts,
            self._acknowledge,
            grace_s=self.app.shutdown_grace,
            after_acks=self._commit_soon,
        )
        self.runner = WatchedRunner(self)
        self.app.lanes[TOPIC] = self.runner

    async def work(self) -> None:
        """Run the stage over its lane."""
        await self.runner.run(self)

    async def handle(self, batch: Batch, ended: Ended) -> None:
        """Work one batch off."""
        await asyncio.gather(*(self._end_one(batch, event, ended) for event in batch))

    async def finish(self) -> None:
        """As the app does at its stop."""
        try:
            await self.ledger.close()
        except TimeoutError:
            return  # then its events are delivered again

    async def _end_one(self, batch: Batch, event: Event, ended: Ended) -> None:
        of_event = self.world.chance(f"{event.partition}/{event.offset}")
        await asyncio.sleep(of_event.random() * self.acks_in_s)
        if batch.generation == self.app.consumer_generation_id:
            self.world.settled(TP(TOPIC, event.partition), event.offset, self)
        ended([event])

    async def _write_counts(self, delta: bytes) -> None:
        raise AssertionError("nothing is counted here")

    def _acknowledge(self, settled: list[Settled]) -> None:
        lanes.acknowledge(self.consumer, ((batch.books, events) for batch, events in settled))

    def _commit_soon(self) -> None:
        self.spawn(self.consumer.commit())


class LaneWorld(World):
    """The same world, of such workers."""

    worker: type[Worker] = LaneWorker
    dying = (*World.dying, ledger)
