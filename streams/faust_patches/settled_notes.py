"""This module commits, beside each offset, which ones above it are settled, and reads that at the next assignment.

A commit stays below the lowest event that is not settled, however much behind it is. After a crash all of that came
again. What the note says (processors/delivery/settled_offsets.py) is passed instead, by the next worker as by this one.

An offset is in a note on the condition on which it may be committed: it was acked. A worker that knows nothing of notes
ignores them, and repeats.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.errors import CommitFailedError, KafkaError, OffsetMetadataTooLargeError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import ensure_aiokafka_TP, ensure_aiokafka_TPset
from faust.types import TP

from processors.delivery.offset_ranges import OffsetRange
from processors.delivery.settled_offsets import MAX_BYTES, UnreadableNoteError, decode_note, encode_note, ranges
from streams.faust_patches.partition_books import books_of, lanes_of, revoked_books

#: Seconds that a commit waits for rows of tables.
WRITTEN_S = 1.0


def committable_offsets(self: Any, tps: Iterable[TP]) -> dict[TP, int]:
    """What there is to commit: new offsets, and old ones of which there is more to say (`Consumer`'s method).

    Of every partition, not of those alone that had an ack: an earlier worker may have settled all that is left.
    """
    offsets = {}
    for tp in dict.fromkeys([*tps, *books_of(self)]):
        new = self._new_offset(tp)
        books = books_of(self).get(tp)
        if books is None:
            continue
        offset = self._committed_offset[tp] if new is None else new
        books.note = encode_note(offset, books.offsets.settled_above(offset, self._acked_index[tp]), max_bytes(self))
        if new is not None or books.note != books.noted:
            offsets[tp] = offset
    return offsets


async def commit_offsets(self: Any, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
    """Commit what stages have ended at once, and tables' offsets when their rows are written (`Consumer`'s method).

    Stock Faust has the producer write everything first, also what has nothing to do with these offsets: while one
    broker stands still, nothing was committed for half a minute. And it takes for committed what was refused.
    """
    lanes, assigned = lanes_of(self), self.assignment()
    of_stages = {tp: offset for tp, offset in offsets.items() if tp in assigned and tp.topic in lanes}
    others = {tp: offset for tp, offset in offsets.items() if tp in assigned and tp.topic not in lanes}
    did_commit = await _committed(self, of_stages)
    if others and await _is_written(self):
        did_commit = await _committed(self, others) or did_commit
    return did_commit


async def commit(self: Any, offsets: Mapping[TP, int]) -> bool:
    """Commit offsets with their notes; shorter ones when the broker takes less (`ThreadDelegateConsumer._commit`)."""
    books = {tp: books_of(self).get(tp) for tp in offsets}
    notes = {tp: found.note if found is not None else "" for tp, found in books.items()}
    while True:
        noted = {tp: OffsetAndMetadata(offset, notes[tp]) for tp, offset in offsets.items()}
        try:
            if not await self._thread.commit(noted):
                return False
            break
        except OffsetMetadataTooLargeError:
            _shorten(self)
            notes = {tp: note if len(note) <= max_bytes(self) else "" for tp, note in notes.items()}
    for tp, found in books.items():
        if found is not None:
            found.noted, found.known = notes[tp], offsets[tp]
    return True


async def _committed(consumer: Any, offsets: Mapping[TP, int]) -> bool:
    if not offsets or not await consumer._commit(offsets):
        return False
    consumer.app.tables.on_commit(offsets)
    consumer._committed_offset.update(offsets)
    consumer.app.monitor.on_tp_commit(offsets)
    return True


async def _is_written(consumer: Any) -> bool:
    """Whether the brokers have all rows of tables by now; what waits for them is committed another time.

    A write that was begun is not broken off, and says nothing of rows since: another one begins when it has ended.
    Before partitions go, it gets as long as what is in flight.
    """
    seconds = WRITTEN_S if consumer.flow_active else consumer.app.shutdown_grace
    for begins in (False, True):
        if begins:
            consumer.writing = asyncio.ensure_future(consumer.app.producer.flush())
        writing: asyncio.Future[None] | None = consumer.__dict__.get("writing")
        if writing is None:
            continue
        await asyncio.wait([writing], timeout=seconds)
        if not writing.done():
            return False
        consumer.writing = None
        writing.result()
    return True


async def commit_in_thread(self: Any, offsets: Mapping[TP, OffsetAndMetadata]) -> bool:
    """As stock Faust does, but with metadata (`AIOKafkaConsumerThread._commit`)."""
    assigned = {tp: noted for tp, noted in offsets.items() if tp in self.assignment()}
    self.tp_last_committed_at.update(dict.fromkeys(assigned, time.monotonic()))
    try:
        await self._ensure_consumer().commit({ensure_aiokafka_TP(tp): noted for tp, noted in assigned.items()})
    except OffsetMetadataTooLargeError:
        raise
    except Exception as error:
        if isinstance(error, CommitFailedError) and "already rebalanced" in str(error):
            return False
        self.log.exception("Committing raised exception: %r; current assignment: %r", error, self.assignment())
        await self.crash(error)
        return False
    return True


async def settled_before(consumer: Any, committed: Mapping[TP, OffsetAndMetadata]) -> dict[TP, list[OffsetRange]]:
    """What earlier workers, and this one, settled above the committed offsets, of partitions whose logs reach that far.

    A log that ends before was cut or made anew: what its offsets meant is not known any more.
    """
    settled = {
        tp: found
        for tp, noted in committed.items()
        if (found := ranges((), [*_readable(consumer, tp, noted), *_settled_here(consumer, tp, noted.offset)]))
    }
    if not settled:
        return {}
    try:
        ends = await consumer.highwaters(*ensure_aiokafka_TPset(settled))
    except KafkaError as error:
        consumer.log.warning("What was settled before comes again, as logs' ends are not known: %r", error)
        return {}
    for tp, end in ends.items():
        if settled[tp][-1][1] > (end or 0):
            consumer.log.warning("What was settled of %r before comes again, as its log ends at %r", tp, end)
            del settled[tp]
    return settled


def _settled_here(consumer: Any, tp: TP, committed: int) -> list[OffsetRange]:
    """What this worker ended since and could not commit, as the group had counted it out meanwhile.

    Only when the partition comes back at once, and not where somebody has set the offset back, or a log is a new one.
    """
    books = revoked_books(consumer).get(tp)
    if books is None or tp.topic not in lanes_of(consumer) or not 0 <= books.known <= committed:
        return []
    reached = books.offsets.ended(books.committed, ())
    ended = [(books.known, reached), *books.offsets.settled_above(reached, ())]
    return [(max(start, committed), end) for start, end in ended if end > committed]


def max_bytes(consumer: Any) -> int:
    """How long a note may be; 0 when the broker takes none."""
    found: int = consumer.__dict__.get("max_note_bytes", MAX_BYTES)
    return found


def _shorten(consumer: Any) -> None:
    """A broker that takes less than the default gets less."""
    consumer.max_note_bytes = max_bytes(consumer) // 2
    consumer.log.warning("The broker refuses notes of settled offsets: at most %r bytes now", max_bytes(consumer))


def _readable(consumer: Any, tp: TP, noted: OffsetAndMetadata) -> list[OffsetRange]:
    try:
        return decode_note(noted.metadata or "", noted.offset)
    except UnreadableNoteError as error:
        consumer.log.warning("The metadata of the commit of %r is left aside: %s", tp, error)
        return []
