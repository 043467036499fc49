"""This module reads again what is due and was left out, and passes what Kafka has deleted before it was read."""

from __future__ import annotations

from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP

from processors.delivery.offsets import PartitionOffsets
from streams.faust_patches.partition_books import ExpiredRange, PartitionBooks, books_of


async def seek_to_due(consumer: Any) -> None:
    """Read again from what is due where the fetch is beyond it; partitions that are revoked meanwhile are left."""
    positions = {tp: _position(consumer, tp) for tp in books_of(consumer)}
    for tp, position in positions.items():
        if position is not None and position < books_of(consumer)[tp].offsets.reached:
            _start_over(consumer, tp, position)
    books = {
        tp: found
        for tp, found in books_of(consumer).items()
        if (position := positions[tp]) is not None and found.offsets.is_behind(position)
    }
    if not books:
        return
    try:
        expired = await _pass_expired(consumer, books)
    except KafkaError as error:  # they stay behind, and the next fetch asks again
        consumer.log.info("Not read again, as the logs' beginnings are not known: %r", error)
        return
    due = {tp: found.offsets.due for tp, found in books.items()}
    consumer.log.info("Reading again from what is due: %r", due)
    try:
        await consumer.seek_wait(due)
    except IllegalStateError as error:
        consumer.log.info("Not read again, as partitions were revoked: %r", error)
        return
    for tp, found in books.items():
        if tp not in expired:  # else more may have been deleted meanwhile: its next jump is looked into as well
            found.offsets.reread()


async def _pass_expired(consumer: Any, books: dict[TP, PartitionBooks]) -> set[TP]:
    """Pass what Kafka has deleted before it was read, and tell the app; gives the partitions of which it was so."""
    begins = await consumer.earliest_offsets(*ensure_aiokafka_TPset(books))
    gone = {tp for tp, found in books.items() if begins[tp] > found.offsets.due}
    if not gone:
        return gone
    kafka = consumer._thread._ensure_consumer()
    left = await consumer._thread.call_thread(kafka.offsets_for_times, dict.fromkeys(ensure_aiokafka_TPset(gone), 0))
    for tp in gone:
        before_ms = left[tp].timestamp if left.get(tp) is not None else None
        for first, end in books[tp].offsets.expired(begins[tp]):
            expired = ExpiredRange(tp.topic, tp.partition, first, end, before_ms, books[tp].offsets)
            books[tp].held[first] = expired
            consumer.app.expired(expired)
    return gone


def _position(consumer: Any, tp: TP) -> int | None:
    """The offset that the next fetch begins at; None while it is not known."""
    assignment = consumer._thread._ensure_consumer()._subscription.subscription.assignment
    if assignment is None or tp not in assignment.tps:
        return None
    state = assignment.state_value(tp)
    return int(state.position) if state.has_valid_position else None


def _start_over(consumer: Any, tp: TP, position: int) -> None:
    """Follow aiokafka to where it began anew: what was due is beyond the log's end, so it is another log now.

    Somebody deleted the topic and made it again, or replicas were lost. Acks of the old log count no more.
    """
    consumer.log.error("%r ends before offset %r, which is due: reading it from %r", tp, _due(consumer, tp), position)
    consumer._acked_index[tp].clear()
    consumer._acked[tp].clear()
    consumer._committed_offset[tp] = position
    books_of(consumer)[tp] = PartitionBooks(PartitionOffsets(position))


def _due(consumer: Any, tp: TP) -> int:
    return books_of(consumer)[tp].offsets.due
