"""Tests of sending: it returns only when the broker has everything."""

import asyncio

import pytest
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownProducerId,
)

from processors.event.headers import Meta
from streams.delivery.record import Record, record
from streams.delivery.send import Monitor


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


def test_a_record_holds_bytes_and_leaves_out_what_is_missing(topics):
    made = record(topics.raw, "\N{GRINNING FACE}\ud800", b"v", Meta(route="text", original=b"\xff"))
    written = {"route": b"text", "original": b"\xff"}
    assert made == Record("genesys.raw", "\N{GRINNING FACE}?".encode(), b"v", written)


async def test_send_returns_only_when_the_broker_has_every_record(sender, producer):
    producer.confirmed.clear()
    sending = asyncio.create_task(sender.send([Record("a", None, b"1"), Record("b", None, b"2")]))
    await until(lambda: len(producer.attempts) == 2)
    await asyncio.sleep(0)
    assert not sending.done()
    producer.confirmed.set()
    await sending
    assert [one.value for one in producer.taken] == [b"1", b"2"]


@pytest.mark.parametrize("error", [KafkaTimeoutError, NotLeaderForPartitionError, MessageSizeTooLargeError])
async def test_only_what_was_refused_is_sent_again_until_it_is_taken(sender, producer, error):
    producer.refusals = {"b": [error(), error()]}
    await sender.send([Record("a", None, b"1"), Record("b", None, b"2"), Record("c", None, b"3")])
    assert producer.attempts == ["a", "b", "c", "b", "b"]
    assert sorted(one.value for one in producer.taken) == [b"1", b"2", b"3"]


async def test_kafka_is_in_trouble_while_it_refuses_and_well_again_after(producer, new_sender, health):
    told = []

    def backoff(attempt, chance):
        told.append(health.troubles()["kafka"]["reason"])
        return 0.0

    sender = new_sender(backoff=backoff)
    producer.refusals = {"a": [KafkaTimeoutError(), MessageSizeTooLargeError()]}
    await sender.send([Record("a", None, b"123")])
    assert told[0] == "a does not take events: KafkaTimeoutError"
    assert "lower KAFKA_MAX_MESSAGE_BYTES" in told[1]
    assert health.troubles() == {}


async def test_kafka_is_in_trouble_while_it_does_not_answer(producer, new_sender, health):
    sender = new_sender(slow_s=0.0)
    producer.confirmed.clear()
    waiting = asyncio.create_task(sender.send([Record("b", None, b"1"), Record("a", None, b"2")]))
    await until(lambda: "kafka" in health.troubles())
    assert health.troubles()["kafka"]["reason"] == "no answer for 0 s from the brokers of a, b"
    producer.confirmed.set()
    await waiting
    assert "kafka" not in health.troubles()


async def test_who_is_served_does_not_hide_who_waits(producer, new_sender, health):
    sender = new_sender(backoff=lambda attempt, chance: 60.0)
    producer.refusals = {"a": [NotLeaderForPartitionError()]}
    waiting = asyncio.create_task(sender.send([Record("a", None, b"1")]))
    await until(lambda: "kafka" in health.troubles())
    await sender.send([Record("b", None, b"2")])
    assert "kafka" in health.troubles()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert "kafka" not in health.troubles()


async def test_the_silence_is_that_of_the_record_that_waits_longest(producer, new_sender, health):
    now = 100.0
    sender = new_sender(slow_s=0.0, clock=lambda: now)
    assert sender.seconds_silent() == 0
    producer.confirmed.clear()
    first = asyncio.create_task(sender.send([Record("a", None, b"1")]))
    await until(lambda: "kafka" in health.troubles())
    now = 105.0
    second = asyncio.create_task(sender.send([Record("b", None, b"2")]))
    await until(lambda: "brokers of b" in health.troubles()["kafka"]["reason"])
    now = 130.0
    assert sender.seconds_silent() == 30
    producer.confirmed.set()
    await asyncio.gather(first, second)
    assert sender.seconds_silent() == 0


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (TopicAuthorizationFailedError, "allow Write on it"),
        (NotEnoughReplicasError, "min.insync.replicas"),
    ],
)
async def test_a_refusal_that_only_an_operator_ends_says_how(producer, new_sender, health, error, fix):
    told = []

    def backoff(attempt, chance):
        told.append(health.troubles()["kafka"]["reason"])
        return 0.0

    producer.refusals = {"a": [error()]}
    await new_sender(backoff=backoff).send([Record("a", None, b"1")])
    assert fix in told[0]


async def test_what_is_told_is_the_trouble_that_is_left(producer, new_sender, health):
    sender = new_sender(backoff=lambda attempt, chance: 60.0)
    producer.refusals = {"a": [NotLeaderForPartitionError()], "b": [NotLeaderForPartitionError()]}
    first, second = (asyncio.create_task(sender.send([Record(topic, None, b"1")])) for topic in "ab")
    await until(lambda: "b does not" in health.troubles().get("kafka", {}).get("reason", ""))
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert health.troubles()["kafka"]["reason"] == "a does not take events: NotLeaderForPartitionError"
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert health.troubles() == {}


class HeardMonitor(Monitor):
    """Notes for what it would have ended the process."""

    ended = None

    def die(self, where, error):
        self.ended = error


def test_a_row_of_a_table_that_a_broken_producer_cannot_write_ends_the_process():
    monitor, broken = HeardMonitor(), OutOfOrderSequenceNumber()
    monitor.on_send_error(None, KafkaTimeoutError(), 0.0)
    assert monitor.ended is None
    monitor.on_send_error(None, broken, 0.0)
    assert monitor.ended is broken


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumber, UnknownProducerId, ProducerFenced, KafkaError])
async def test_a_producer_that_can_write_no_more_ends_the_process(producer, new_sender, error):
    class Ended(BaseException):
        pass

    def die(where, error):
        raise Ended(where, type(error))

    sender = new_sender(die=die)
    producer.refusals = {"b": [error()]}
    with pytest.raises(Ended, match="the producer"):
        await sender.send([Record("a", None, b"1"), Record("b", None, b"2")])
    assert producer.attempts == ["a", "b"]


async def test_sending_nothing_is_done_at_once(sender, producer):
    await sender.send([])
    assert producer.attempts == []
