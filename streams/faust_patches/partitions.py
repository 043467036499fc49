"""This module cares for a partition from its assignment to its revocation, in Faust's stead: sought, committed, let go.

Stock Faust 0.15.3 lets partitions flow before it has sought to their committed offsets, does not seek at all where
nothing was ever committed, and commits a run of acked offsets that does not begin at the last commit. Here a
partition's books (partition_books.py) are opened by the seek, and nothing is committed but what they call ended. An
event that a stream was given and nobody holds any more, unacked, is a bug by then: the process ends, and it is read
again.

Each function replaces the method of `faust.transport.consumer.Consumer` whose name it has, or of the class that its
docstring names; streams/faust_patches/apply.py puts them in place.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP

from processors.delivery.offsets import PartitionOffsets, below
from streams.exit import die
from streams.faust_patches.lanes import holds
from streams.faust_patches.partition_books import PartitionBooks, books_of, lanes_of, revoked_books
from streams.faust_patches.settled_notes import settled_before


class DroppedError(Exception):
    """An event was given to a stream or a lane, and nobody holds it any more."""


async def perform_seek(self: Any) -> None:
    """Seek each stream's partition to its committed offset, or to its beginning, and open its books there."""
    assigned = {ensure_TP(tp) for tp in self.assignment()}
    streams = {tp for tp in assigned if self.app.topics.acks_enabled_for(tp.topic)}
    committed = await _committed(self, streams)
    start = {tp: found.offset for tp, found in committed.items()}
    settled = await settled_before(self, committed)
    fresh = [tp for tp, offset in start.items() if offset < 0]
    start.update(await _beginnings(self, fresh))
    await self.seek_wait(start)
    self._read_offset.update(dict.fromkeys(assigned - streams))
    self._committed_offset.update(start)
    books_of(self).update(
        {
            tp: PartitionBooks(
                PartitionOffsets(offset, settled.get(tp, [])), known=committed[tp].offset, noted=committed[tp].metadata
            )
            for tp, offset in start.items()
        }
    )
    revoked_books(self).clear()


async def _committed(consumer: Any, partitions: set[TP]) -> dict[TP, OffsetAndMetadata]:
    """What the group has committed, in one request; -1 where it has not."""
    coordinator = consumer._thread._ensure_consumer()._coordinator
    wanted = ensure_aiokafka_TPset(partitions)
    found = await consumer._thread.call_thread(coordinator.fetch_committed_offsets, wanted)
    return {tp: found.get(tp, OffsetAndMetadata(-1, "")) for tp in partitions}


async def _beginnings(consumer: Any, partitions: list[TP]) -> dict[TP, int]:
    while partitions:
        try:
            found = await consumer.earliest_offsets(*ensure_aiokafka_TPset(partitions))
            return {tp: found[tp] for tp in partitions}
        except KafkaError as error:
            consumer.log.warning("The beginnings of %r are not known: %r", partitions, error)
            await asyncio.sleep(1.0)
    return {}


def new_offset(self: Any, tp: TP) -> int | None:
    """The offset to commit, when there is a new one (`Consumer._new_offset`)."""
    committed, books = self._committed_offset[tp], books_of(self).get(tp)
    if committed is None or books is None:
        return None
    acked: set[int] = self._acked_index[tp]
    acked.difference_update(below(acked, committed))
    self._acked[tp].clear()  # the index holds the same
    books.offsets.forget_below(committed)
    ended = books.offsets.ended(committed, acked)
    if self.flow_active and ended < books.offsets.due and not holds(self, tp, ended):
        die("the consumer", DroppedError(f"{tp.topic}, partition {tp.partition}, offset {ended}"))
    if ended == committed or committed != books.committed:
        books.committed, books.committed_at = committed, time.monotonic()
    return ended if ended > committed else None


async def follow_partitions(consumer: Any) -> None:
    """Ask for the partitions of the topics now: when there are more, the group shares them out anew (aiokafka)."""
    client = consumer._thread._ensure_consumer()._client
    await consumer._thread.call_thread(client.force_metadata_update)


def seconds_uncommitted(consumer: Any) -> float:
    """For how long events that ended have waited for their commit, on the worst partition."""
    since = []
    for tp, books in books_of(consumer).items():
        committed = consumer._committed_offset[tp]
        if committed is not None and books.offsets.ended(committed, consumer._acked_index[tp]) > committed:
            since.append(books.committed_at)
    return time.monotonic() - min(since) if since else 0.0


async def on_partitions_revoked(self: Any, revoked: set[TP]) -> None:
    """Let what is in flight end and be committed, then forget the partitions; stock Faust forgets them first."""
    if self._active_partitions is not None:
        self._active_partitions.difference_update(revoked)
    self._paused_partitions.difference_update(revoked)
    # A stream's buffer that has room again later would have its partition fetched before it is sought.
    self._buffered_partitions.difference_update(revoked)
    await self._on_partitions_revoked(revoked)
    for tp in revoked:
        if (books := books_of(self).pop(tp, None)) is not None:
            books.committed = self._committed_offset[tp]
            revoked_books(self)[tp] = books
        for kept in (self._gap, self._acked, self._acked_index, self._read_offset, self._committed_offset):
            kept.pop(tp, None)


async def wait_empty(self: Any) -> None:
    """Wait for events in flight, but no longer than the app's `shutdown_grace`, then commit what is settled.

    Stock Faust waits for ever, so that one call in a long back-off holds up a rebalance of the whole group.
    Events still in flight afterwards stay unacked: they are delivered again, never skipped. What waits in a lane and
    nobody has begun with is left to whoever gets it next.
    """
    for lane in lanes_of(self).values():
        lane.clear()
    deadline = self.loop.time() + self.app.shutdown_grace
    while not self.should_stop and _is_in_flight(self) and self.loop.time() < deadline:
        gc.collect()  # messages are held weakly; a stream that dropped one frees it here
        await self.commit()
        if _is_in_flight(self):
            await self._wait_for_ack(timeout=1)
            self._clean_unacked_messages()
    await self.maybe_wait_for_commit_to_finish()  # that of the timer: a commit beside it would do nothing
    await self.commit_and_end_transactions()


def _is_in_flight(consumer: Any) -> bool:
    return bool(consumer._unacked_messages) or any(lane.is_busy for lane in lanes_of(consumer).values())
