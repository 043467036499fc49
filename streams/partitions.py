"""This module cares for a partition from its assignment to its revocation, in Faust's stead: sought, committed, let go.

Stock Faust 0.15.3 lets partitions flow before it has sought to their committed offsets, does not seek at all where
nothing was ever committed, and commits a run of acked offsets that does not begin at the last commit. Here a
partition's books (streams/consuming.py) are opened by the seek, and nothing is committed but what they call ended. An
event that a stream was given and nobody holds any more, unacked, is a bug by then: the process ends, and it is read
again.

Each function replaces the method of `faust.transport.consumer.Consumer` whose name it has, or of the class that its
docstring names; streams/hardening.py puts them in place.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any, cast

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP

from processors.offsets import Offsets, below
from streams.consuming import Books, books_of
from streams.ending import die


class DroppedError(Exception):
    """An event was given to a stream, and nobody holds it any more."""


async def perform_seek(self: Any) -> None:
    """Seek each stream's partition to its committed offset, or to its beginning, and open its books there."""
    assigned = {ensure_TP(tp) for tp in self.assignment()}
    streams = {tp for tp in assigned if self.app.topics.acks_enabled_for(tp.topic)}
    start = await _committed(self, streams)
    fresh = [tp for tp, offset in start.items() if offset <= 0]
    start.update(await _beginnings(self, fresh))
    await self.seek_wait(start)
    self._read_offset.update(dict.fromkeys(assigned - streams))
    self._committed_offset.update(start)
    books_of(self).update({tp: Books(Offsets(offset)) for tp, offset in start.items()})


async def _committed(consumer: Any, partitions: set[TP]) -> dict[TP, int]:
    """What the group has committed, in one request; -1 where it has not."""
    coordinator = consumer._thread._ensure_consumer()._coordinator
    wanted = ensure_aiokafka_TPset(partitions)
    found = await consumer._thread.call_thread(coordinator.fetch_committed_offsets, wanted)
    return {tp: found[tp].offset if tp in found else -1 for tp in partitions}


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
    if self.flow_active and ended < books.offsets.due and ended not in books.held:
        die("the consumer", DroppedError(f"{tp.topic}, partition {tp.partition}, offset {ended}"))
    if ended == committed or committed != books.committed:
        books.committed, books.committed_at = committed, time.monotonic()
    return ended if ended > committed else None


def seconds_uncommitted(consumer: Any) -> float:
    """For how long events that ended have waited for their commit, on the worst partition."""
    waiting = [tp for tp in books_of(consumer) if consumer._committed_offset[tp] in consumer._acked_index[tp]]
    since = [books_of(consumer)[tp].committed_at for tp in waiting]
    return time.monotonic() - min(since) if since else 0.0


async def on_partitions_revoked(self: Any, revoked: set[TP]) -> None:
    """Let what is in flight end and be committed, then forget the partitions; stock Faust forgets them first."""
    if self._active_partitions is not None:
        self._active_partitions.difference_update(revoked)
    self._paused_partitions.difference_update(revoked)
    await self._on_partitions_revoked(revoked)
    for tp in revoked:
        books_of(self).pop(tp, None)
        for kept in (self._gap, self._acked, self._acked_index, self._read_offset, self._committed_offset):
            kept.pop(tp, None)


async def wait_empty(self: Any) -> None:
    """Wait for events in flight, but no longer than the app's `shutdown_grace`, then commit what is settled.

    Stock Faust waits for ever, so that one call in a long back-off holds up a rebalance of the whole group.
    Events still in flight afterwards stay unacked: they are delivered again, never skipped.
    """
    deadline = self.loop.time() + self.app.shutdown_grace
    while not self.should_stop and self._unacked_messages and self.loop.time() < deadline:
        gc.collect()  # messages are held weakly; a stream that dropped one frees it here
        await self.commit()
        if self._unacked_messages:
            await self._wait_for_ack(timeout=1)
            self._clean_unacked_messages()
    await self.maybe_wait_for_commit_to_finish()  # that of the timer: a commit beside it would do nothing
    await self.commit_and_end_transactions()


async def on_recovery_completed(self: Any, generation_id: int = 0) -> None:
    """Let the streams flow (`faust.tables.recovery.Recovery`): seek first, then resume.

    Stock Faust resumes the partitions first, and gives up the seek after a time-out. A rebalance that begins
    meanwhile leaves everything to the recovery that follows it.
    """
    app, consumer = self.app, self.app.consumer
    self.log.info("Restore complete!")
    await app.on_rebalance_complete.send()
    self._set_recovery_ended()
    for table in self.tables.values():
        await table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
    assignment = consumer.assignment()
    if assignment:
        self.log.info("Seek stream partitions to committed offsets.")
        await self._wait(consumer.perform_seek())
    if app.consumer_generation_id != generation_id or _is_reassigned(consumer):
        self.log.info("Rebalancing again")
        return
    self.completed.set()
    if not app.flow_control.is_active():
        app.flow_control.resume()  # which clears what waits in queues, also what standby tables were given
    consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
    consumer.resume_flow()
    await cast(Any, app)._fetcher.maybe_start()
    self.tables.on_actives_ready()
    if not app.assignor.assigned_standbys():
        self.tables.on_standbys_ready()
    app.on_rebalance_end()
    self.log.info("Worker ready")


async def seek_tables(self: Any, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
    """Seek changelogs to where their tables have been read to (`faust.tables.recovery.Recovery._seek_offsets`).

    A rebalance may have given or taken some since the offsets were asked for. Stock Faust crashes over those; here they
    are left to the recovery that the rebalance begins.
    """
    known = {tp: max(0, offset) for tp in tps if (offset := offsets[tp]) is not None}
    try:
        await consumer.seek_wait(known)
    except IllegalStateError as error:
        self.log.info("The %s changelogs are not sought, as partitions were revoked: %r", title, error)


def _is_reassigned(consumer: Any) -> bool:
    """Whether a rebalance has begun whose assignment is not known yet."""
    return bool(consumer._thread._ensure_consumer()._subscription.reassignment_in_progress)
