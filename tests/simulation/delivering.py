"""This module is the simulation of delivering: the sink stage as it is, between the simulated Kafka and EventBridge.

Stage, ledger, sender, publisher and failure records are the project's; simulated are the producer and PutEvents.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
from aiokafka.errors import NotLeaderForPartitionError, RequestTimedOutError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.types import TP

from agents.sink import Publishing
from clients.aws.events.eventbridge import Accepted, Outage, RefusedEntry, Result
from clients.aws.events.publisher import Publisher
from processors.delivery.entries import Entry
from processors.delivery.refusals import RefusalLimits
from processors.event.headers import Meta, Origin, write
from processors.routes.routes import Routes
from streams.delivery.buffer import Batch
from streams.delivery.membership import Membership
from streams.delivery.packed_producer import PackedProducer
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Sender
from streams.delivery.stage import Ended, Stage
from streams.delivery.targets.entries import EntryBuilder
from streams.faust_patches.heartbeat import is_certain
from streams.faust_patches.partition_books import books_of
from tests.simulation.clock import VirtualLoop
from tests.simulation.lanes import LaneWorker, LaneWorld
from tests.simulation.plan import Plan, Step
from tests.simulation.worker import Worker
from tests.simulation.world import COMMITTED_S
from tests.simulation.world import HOLDS_UP as COMMITS_HELD_UP

METRICS, FAILURES = "metrics", "failures"

#: One of so many events is refused for good, by what it is.
BAD = 17

#: Seconds in which a request is answered, and those that are enough for one to end at a revocation.
ANSWERED_S, LONG_GRACE_S = 0.3, 8.0

#: What holds up commits, or hides from a worker what became of its entries: then more comes again.
HOLDS_UP = {*COMMITS_HELD_UP, "sends refused", "sends unanswered", "dropped answers"}

STAGE = Stage("sink", max_events=6, linger_s=0.0, waits_for=("kafka", "eventbridge"), alone=True, open_events=30)


class Builder(BatchBuilder):
    """aiokafka's batch, which tells what is in it; there is room for few records."""

    def __init__(self) -> None:
        super().__init__(600, 0)
        self.values: list[bytes] = []

    def append(self, *, timestamp: int, key: Any, value: Any, headers: Any = ()) -> Any:
        added = super().append(timestamp=timestamp, key=key, value=value, headers=headers)
        if added is not None:
            self.values.append(value)
        return added


class Producer:
    """aiokafka's producer: writes batches to the topics, each a while away, as a whole or not at all."""

    def __init__(self, worker: DeliveringWorker) -> None:
        self._worker = worker
        self.client = SimpleNamespace(
            _wait_on_metadata=self._metadata,
            cluster=SimpleNamespace(available_partitions_for_topic=lambda topic: {0, 1}),
        )

    async def _metadata(self, topic: str) -> set[int]:
        return {0, 1}

    def create_batch(self) -> Builder:
        """An empty batch."""
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> Any:
        """Queue a batch; what it gives ends when the broker has it."""
        assert batch.closed()
        return self._worker.spawn(self._written(topic, batch.values), crashes=False)

    async def _written(self, topic: str, values: list[bytes]) -> None:
        worker, world, chance = self._worker, self._worker.world, self._worker.chance
        await worker.wire.cross()
        if world.is_on("sends refused") and chance.random() < 0.6:
            raise chance.choice((NotLeaderForPartitionError, RequestTimedOutError))
        for value in values:
            world.written(topic, orjson.loads(value), worker)
        if world.is_on("sends unanswered"):
            await asyncio.sleep(chance.random() * 3)
        await worker.wire.cross()


class DeliveringWorker(LaneWorker):
    """A worker of the sink alone."""

    world: DeliveringWorld
    stage = STAGE

    def __init__(self, world: DeliveringWorld, name: str) -> None:
        super().__init__(world, name)
        health, producer = self.health, PackedProducer(Producer(self), 1_000_000)

        async def start_producer() -> PackedProducer:
            return producer

        self.membership = Membership(
            lambda: is_certain(self.consumer), lambda: self.app.consumer_generation_id, self.ledger.keep_pace
        )
        self.sender = Sender(start_producer, health, die=world.die)
        topic: Any = SimpleNamespace(get_topic_name=lambda: FAILURES)
        nothing: Any = SimpleNamespace(note=lambda marks: None)
        delivery = Delivery(self.sender.send, nothing, FailureReporter(topic, 100_000), nothing, self.counts)
        self.publisher = Publisher(
            self._put, max_bytes=100_000, linger_s=0.05, in_flight=3, max_retries=2,
            limits=RefusalLimits(0.9, 1_000_000, 60.0),
            on_trouble=health.observer("eventbridge"), on_retry=lambda code: None,
            on_bug=lambda error: world.die("publishing", error),
            may_send=self.membership.may_publish,
        )  # fmt: skip
        self.publishing = Publishing(self._open_bus, delivery, EntryBuilder(lambda: Routes([]), "bus"))

    async def handle(self, batch: Batch, ended: Ended) -> None:
        """Work one batch off."""
        await self.publishing.publish(batch, ended)

    async def _open_bus(self) -> Publisher:
        await asyncio.sleep(self.chance.random() * 0.2)
        return self.publisher

    async def _write_counts(self, delta: bytes) -> None:
        await self.sender.send([Record(METRICS, None, delta)])

    async def _put(self, entries: Sequence[Entry]) -> list[Result]:
        """PutEvents: what it stores is stored, whatever becomes of who asked."""
        loop = self.world.loop
        answer = loop.create_task(self.world.put_events(entries, self), context=contextvars.Context())
        results = await asyncio.shield(answer)
        if self.wire.dead:
            await loop.create_future()
        return results


class DeliveringWorld(LaneWorld):
    """The same, with a bus, and topics for counts and failures."""

    worker = DeliveringWorker

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        super().__init__(plan, loop)
        self.counted: Counter[str] = Counter()
        self.put: list[tuple[TP, int]] = []
        self.failed: set[tuple[TP, int]] = set()
        self._until: dict[str, float] = {}
        self._bus = self.chance("bus")
        self._put_by: dict[tuple[TP, int], tuple[Worker, float, bool]] = {}
        self._latest: dict[bytes, int] = {}

    # What happens.

    def strike(self, step: Step) -> None:
        if step.what in ("sends refused", "sends unanswered", "bus silent", "throttled", "dropped answers"):
            self._until[step.what] = max(self._until.get(step.what, 0.0), self.loop.time() + step.much)
        else:
            super().strike(step)

    def is_on(self, fault: str) -> bool:
        """Whether a fault lasts."""
        return self.loop.time() < self._until.get(fault, 0.0)

    def record(self, tp: TP, offset: int) -> tuple[bytes, bytes, list[Any]]:
        mapped = {
            "source": "simulated", "detail-type": "event", "detail": {"partition": tp.partition, "offset": offset},
            "id": f"{tp.partition}/{offset}",
        }  # fmt: skip
        meta = Meta(event_id=f"{tp.partition}/{offset}", origin=Origin("raw", tp.partition, offset))
        return orjson.dumps(mapped), self.key(tp, offset), list(write(meta).items())

    async def put_events(self, entries: Sequence[Entry], worker: Worker) -> list[Result]:
        """Answer one PutEvents."""
        chance, now = self._bus, self.loop.time()
        if worker not in self.group.members and now > worker.evicted_at:
            words = f"{worker.name}, {now - worker.evicted_at:.2f} s after it was counted out"
            self.violated("who is counted out publishes no more", words)
        if gone := {self._place(entry)[0] for entry in entries} - books_of(worker.consumer).keys():
            self.violated("what is left to others is not put on the bus", f"{worker.name}, of {gone}")
        await asyncio.sleep(chance.random() * 0.1)
        if self.is_on("bus silent"):
            await asyncio.sleep(chance.random())
            return [Outage("HTTP 503")] * len(entries)
        results = [self._take(entry, chance, worker) for entry in entries]
        await asyncio.sleep(chance.random() * 0.1)
        if self.is_on("dropped answers") and chance.random() < 0.5:
            return [Outage("the connection was closed")] * len(entries)
        return results

    def _take(self, entry: Entry, chance: Random, worker: Worker) -> Result:
        tp, offset = self._place(entry)
        if self.is_on("throttled") and chance.random() < 0.4:
            return RefusedEntry("ThrottlingException", "slow down")
        if self._is_bad(tp, offset):
            return RefusedEntry("MalformedDetail", "for good")
        self._arrived(tp, offset, worker)
        self.put.append((tp, offset))
        self.settled(tp, offset, worker)
        return Accepted(f"{len(self.put)}")

    def _place(self, entry: Entry) -> tuple[TP, int]:
        detail = orjson.loads(entry.fields["Detail"])
        return next(tp for tp in self.events if tp.partition == detail["partition"]), detail["offset"]

    def written(self, topic: str, value: dict[str, Any], worker: Worker) -> None:
        """A broker has a record."""
        if topic == METRICS:
            self.counted.update(value["counts"])
            return
        partition, offset = map(int, value["eventId"].split("/"))
        tp = next(tp for tp in self.events if tp.partition == partition)
        code = value["error"]
        if code not in ("MalformedDetail", "ThrottlingException"):
            self.violated("an outage is nobody's event's fault", f"{partition}/{offset} failed with {code}")
        self.failed.add((tp, offset))
        self.settled(tp, offset, worker)

    # The laws.

    def given(self, tp: TP, offset: int) -> None:
        """What settles with its batch may come again with it; consuming has the law of repetitions."""

    def _is_bad(self, tp: TP, offset: int) -> bool:
        return (offset * 31 + tp.partition) % BAD == 0

    def _arrived(self, tp: TP, offset: int, worker: Worker) -> None:
        self._not_again(tp, offset, worker)
        key = self.key(tp, offset)
        known = offset in self.ended[tp]
        if not known and offset < self._latest.get(key, -1):
            self.violated("an interaction arrives in order", f"{tp.partition}/{offset} after {self._latest[key]}")
        self._latest[key] = max(offset, self._latest.get(key, -1))

    def _not_again(self, tp: TP, offset: int, worker: Worker) -> None:
        """Whose worker lives, and may commit, is put once."""
        now = self.loop.time()
        before = self._put_by.setdefault((tp, offset), (worker, now, worker.revoking))
        first, at, was_revoking = before
        if at == now or self.is_held_up() or (was_revoking and first.app.shutdown_grace < LONG_GRACE_S):
            return
        if first.killed_at is None or not at - ANSWERED_S <= first.killed_at <= at + ANSWERED_S + COMMITTED_S:
            words = f"{tp.partition}/{offset}, by {first.name} at {at:.3f} and by {worker.name}"
            self.violated("what is put on the bus comes again only after a kill right behind it", words)

    def is_held_up(self) -> bool:
        return any(step.what in HOLDS_UP for step in self.plan.steps)

    def _committed(self, tp: TP, offset: int, metadata: str) -> None:
        super()._committed(tp, offset, metadata)
        committed = dict(self.group.committed) | {tp: (offset, metadata)}
        done = sum(
            sum(self.first[one] <= known < committed[one][0] for known in log.offsets)
            for one, log in self.events.items()
        )
        if done > self.counted["published"] + self.counted["failed"]:
            self.violated("nothing is committed before it is counted", f"{done} events, counted {dict(self.counted)}")

    def at_end(self) -> None:
        lost = {
            (tp, offset) for tp, log in self.events.items() for offset in log.offsets if offset >= self.first[tp]
        } - set(self.put) - self.failed  # fmt: skip
        if lost:
            self.violated("every event ends on the bus or in the failures", str(sorted(lost)))
        if self.counted["published"] > len(self.put):
            self.violated("nothing is counted that did not happen", f"{dict(self.counted)}, put {len(self.put)}")
