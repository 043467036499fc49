"""Tests of packing: a future for a batch, order within a partition, and each record with its own answer."""

import asyncio
import os
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, NotLeaderForPartitionError
from aiokafka.partitioner import murmur2 as theirs
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.delivery.packed_producer import PackedProducer, murmur2
from streams.delivery.record import Record


class Kafka:
    """aiokafka's producer: `topics` are its topics' partitions, `refusals` errors of the next batches."""

    def __init__(self, batch_size=100_000, **topics):
        self.topics = topics or {"a": {0, 1, 2}, "b": {0}}
        self.batches, self.refusals, self.at_once, self.brokers = [], [], [], {}
        self.client = SimpleNamespace(
            _wait_on_metadata=self._metadata,
            force_metadata_update=self._ask,
            cluster=SimpleNamespace(available_partitions_for_topic=lambda topic: {max(self.topics[topic])}),
        )
        self._batch_size = batch_size

    async def _metadata(self, topic):
        if topic not in self.topics:
            raise KafkaTimeoutError("no such topic")
        return self.topics[topic]

    async def _ask(self):
        self.topics |= {topic: set(range(number)) for topic, number in self.brokers.items()}

    def create_batch(self):
        return BatchBuilder(self._batch_size, 0)

    async def send_batch(self, batch, topic, *, partition):
        assert batch.closed(), "nobody else's record comes into it, and it does not linger"
        if self.at_once:
            raise self.at_once.pop(0)
        self.batches.append((topic, partition, [one.value for one in read(batch)], batch))
        future = asyncio.get_running_loop().create_future()
        error = self.refusals.pop(0) if self.refusals else None
        future.set_exception(error) if error else future.set_result(None)
        return future

    def written(self):
        return [batch[:3] for batch in self.batches]


def read(batch):
    records = MemoryRecords(bytes(batch._build()))
    while records.has_next():
        yield from records.next_batch()


async def test_records_of_a_partition_are_one_batch_in_their_order():
    kafka = Kafka()
    records = [Record("a", None, b"%d" % number, partition=number % 2) for number in range(6)]
    assert await PackedProducer(kafka, 10_000).send([*records, Record("b", b"k", b"6")]) == [None] * 7
    assert kafka.written() == [("a", 0, [b"0", b"2", b"4"]), ("a", 1, [b"1", b"3", b"5"]), ("b", 0, [b"6"])]


async def test_a_partition_that_is_new_is_asked_for_and_refused_to_be_sent_again_while_the_brokers_do_not_know_it():
    kafka = Kafka()
    producer = PackedProducer(kafka, 10_000)
    records = [Record("b", None, b"1", partition=2), Record("a", b"k", b"2")]
    answers = await producer.send(records)
    assert [answer and answer.retriable for answer in answers] == [True, None]
    kafka.brokers = {"b": 3}
    assert await producer.send(records[:1]) == [None]
    assert kafka.written()[-1] == ("b", 2, [b"1"])


async def test_a_record_is_what_it_was():
    kafka, made = Kafka(), Record("b", b"k", b"v", {"event-id": b"e", "route": b"r"})
    await PackedProducer(kafka, 10_000).send([made])
    (one,) = read(kafka.batches[0][3])
    assert (one.key, one.value, dict(one.headers)) == (b"k", b"v", made.headers)
    assert one.timestamp > 1_700_000_000_000


async def test_what_has_no_room_in_a_batch_begins_the_next_and_one_that_is_larger_goes_alone():
    kafka = Kafka(batch_size=300)
    values = [b"x" * 80, b"x" * 81, b"x" * 82, b"x" * 900, b"x" * 83]
    assert await PackedProducer(kafka, 10_000).send([Record("b", None, value) for value in values]) == [None] * 5
    assert [value for _, _, batch, _ in kafka.batches for value in batch] == values
    assert [len(batch) for _, _, batch, _ in kafka.batches] == [2, 1, 1, 1]


@pytest.mark.parametrize("where", ["refusals", "at_once"], ids=["by the brokers", "before it was queued"])
async def test_a_refused_batch_answers_for_its_records_and_no_others(where):
    kafka = Kafka()
    error = NotLeaderForPartitionError()
    getattr(kafka, where).append(error)
    records = [Record("a", None, b"1", partition=0), Record("b", None, b"2"), Record("a", None, b"3", partition=0)]
    assert await PackedProducer(kafka, 10_000).send(records) == [error, None, error]


async def test_of_what_cannot_be_sent_nothing_is_queued():
    kafka = Kafka()
    records = [Record("a", None, b"x" * 2_000), Record("missing", None, b"1"), Record("b", None, b"2")]
    first, second, third = await PackedProducer(kafka, 1_000).send(records)
    assert (type(first), type(second), third) == (MessageSizeTooLargeError, KafkaTimeoutError, None)
    assert kafka.written() == [("b", 0, [b"2"])]


async def test_a_record_without_a_key_goes_where_there_is_a_leader():
    kafka = Kafka()
    await PackedProducer(kafka, 10_000).send([Record("a", None, b"1") for _ in range(5)])
    assert {partition for _, partition, _, _ in kafka.batches} == {2}


async def test_a_key_is_on_the_partition_where_other_clients_look_for_it():
    kafka = Kafka()
    keys = [b"%d" % number for number in range(50)]
    await PackedProducer(kafka, 10_000).send([Record("a", key, key) for key in keys])
    found = {value: partition for _, partition, values, _ in kafka.batches for value in values}
    assert found == {key: (theirs(key) & 0x7FFFFFFF) % 3 for key in keys}


def test_the_hash_is_kafkas():
    for length in range(70):
        data = os.urandom(length)
        assert murmur2(data) == theirs(data) & 0xFFFFFFFF


@pytest.mark.parametrize("key", [None, b"k" * 40])
def test_a_record_s_size_is_at_least_what_the_client_counts(key):
    made = Record("a", key, b"v" * 500, {"name": b"x" * 30, "\N{GREEK SMALL LETTER ALPHA}": b""})
    counted = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, made.value, list(made.headers.items()))
    assert counted <= made.size <= counted + 100
