"""Counts what does not depend on the machine: what a thousand events cost in tasks, futures, timers and requests.

A fetch goes through the lane to the process stage and, as Kafka would bring it back, to the sink; simulated are the
routes, the brokers and EventBridge.
"""

import asyncio
import itertools
from collections import Counter
from types import SimpleNamespace

import orjson
import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.types import TP

from agents.process import Processing
from agents.sink import Publishing
from clients.aws.events.eventbridge import Accepted
from clients.aws.events.publisher import Publisher
from processors.delivery.offsets import PartitionOffsets
from processors.delivery.refusals import RefusalLimits
from processors.metrics.counts import Counts
from processors.routes.breaker import BreakerLimits
from processors.routes.routes import Encoded, Routed, Routes
from streams.delivery.ledger import Ledger
from streams.delivery.packed_producer import PackedProducer
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Sender
from streams.delivery.stage import Stage, StageRunner
from streams.delivery.targets.entries import EntryBuilder
from streams.faust_patches import lanes
from streams.faust_patches.fetched_record import FetchedRecord
from streams.faust_patches.partition_books import PartitionBooks
from streams.health import Health
from streams.routes.breaker import FailureBreaker

EVENTS, PARTITIONS, FETCH = 1_000, 4, 250
VALUE = orjson.dumps({"source": "s", "detail-type": "t", "detail": {"a": 1}, "id": "i"})


class Counting(asyncio.SelectorEventLoop):
    """An event loop that counts what is made on it."""

    def __init__(self):
        super().__init__()
        self.made = Counter()
        self.set_task_factory(self._task)

    def _task(self, loop, coroutine, context=None):
        self.made["tasks"] += 1
        return asyncio.Task(coroutine, loop=loop, context=context)

    def create_future(self):
        self.made["futures"] += 1
        return super().create_future()

    def call_at(self, *arguments, **more):
        self.made["timers"] += 1
        return super().call_at(*arguments, **more)


class Kafka:
    """aiokafka's producer, and what it has written."""

    def __init__(self, made):
        self.made, self.written = made, []
        self.client = SimpleNamespace(_wait_on_metadata=self._metadata)

    async def _metadata(self, topic):
        return set(range(PARTITIONS))

    def create_batch(self):
        return BatchBuilder(262_144, 0)

    async def send_batch(self, batch, topic, *, partition):
        self.made["Kafka batches"] += 1
        self.made[f"records of {topic}"] += batch.record_count()
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def surely(batch):
    return True


class Stages:
    """Process and sink of a worker, on one loop."""

    def __init__(self, loop, topics, deduplication):
        self.loop, health, self.counts, self._ids = loop, Health(), Counts(), itertools.count()
        producer = PackedProducer(Kafka(loop.made), 1_000_000)

        async def start():
            return producer

        self.sender = Sender(start, health)
        delivery = Delivery(
            self.sender.send, topics, FailureReporter(topics.failures, 100_000), deduplication, self.counts
        )
        self.consumer = SimpleNamespace(
            app=SimpleNamespace(lanes={}, consumer_generation_id=0), books={}, _waiting_for_ack=None
        )
        self.ledger = Ledger(self.counts, health, self._write, self._acknowledge, grace_s=10)
        publisher = Publisher(
            self._put, max_bytes=1_000_000, linger_s=0.05, in_flight=32, max_retries=5,
            limits=RefusalLimits(0.9, 10**6, 60.0),
            on_trouble=health.observer("eventbridge"), on_retry=lambda bus: None, on_bug=pytest.fail,
        )  # fmt: skip

        async def open_bus():
            return publisher

        breaker = FailureBreaker(BreakerLimits(0.9, 10**6, 60.0), health)
        process = Processing(lambda: self, breaker, delivery, lambda: Routes([]), surely)
        sink = Publishing(open_bus, delivery, EntryBuilder(lambda: Routes([]), "bus"))
        self._run("genesys.raw", Stage("process", 500, 0.02, open_batches=2), process.process)
        self._run("genesys.validated", Stage("sink", 500, 0.0, alone=True), sink.publish)

    def _run(self, topic, stage, handle):
        runner = StageRunner(stage, handle, self.ledger, lambda: 0)
        self.consumer.app.lanes[topic] = runner
        for partition in range(PARTITIONS):
            self.consumer.books[TP(topic, partition)] = PartitionBooks(PartitionOffsets(0))
        self.loop.create_task(runner._work())

    async def apply(self, raws):
        """Maps as the mapping process does."""
        return [Routed("k", f"e{next(self._ids)}", (Encoded("r", VALUE),)) for _ in raws]

    async def _put(self, entries):
        self.loop.made["PutEvents"] += 1
        await asyncio.sleep(0)
        return [Accepted("id")] * len(entries)

    async def _write(self, delta):
        await self.sender.send([Record("genesys.metrics", b"k", delta)])

    def _acknowledge(self, settled):
        lanes.acknowledge(self.consumer, ((batch.books, events) for batch, events in settled))

    async def work(self, topic, headers=()):
        """Fetch by fetch; returns when all is acked."""
        books = [self.consumer.books[TP(topic, partition)].offsets for partition in range(PARTITIONS)]
        for first in range(0, EVENTS // PARTITIONS, FETCH // PARTITIONS):
            offsets = range(first, min(EVENTS // PARTITIONS, first + FETCH // PARTITIONS))
            lanes.fill_lanes(self.consumer, {
                TP(topic, part): [FetchedRecord(topic, part, one, 0, b"k%d" % one, VALUE, headers) for one in offsets]
                for part in range(PARTITIONS)
            }, None)  # fmt: skip
            await asyncio.sleep(0)
        while any(one.ended(0, ()) < EVENTS // PARTITIONS for one in books):  # noqa: ASYNC110  # nobody tells of a commit
            await asyncio.sleep(0.01)


def cost(topic, topics, deduplication):
    """What a thousand events of a topic cost."""
    loop = Counting()
    asyncio.set_event_loop(loop)
    try:
        stages = Stages(loop, topics, deduplication)
        loop.run_until_complete(asyncio.wait_for(stages.work(topic), 120))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)
        loop.close()
    return loop.made


def test_a_thousand_events_of_the_process_stage(topics, deduplication):
    made = cost("genesys.raw", topics, deduplication)
    assert made["records of genesys.validated"] == EVENTS
    assert made["Kafka batches"] <= 10 * PARTITIONS
    assert made["tasks"] <= 30
    assert made["futures"] <= 200


def test_a_thousand_events_of_the_sink(topics, deduplication):
    made = cost("genesys.validated", topics, deduplication)
    assert made["PutEvents"] <= EVENTS / 10 * 1.5, "requests are full"
    assert made["tasks"] <= 3 * made["PutEvents"] + 30
    assert made["futures"] <= 5 * made["PutEvents"] + 200
