"""This module takes Faust's consumer in hand: what is delivered to the streams, and which offsets are committed.

Stock Faust 0.15.3 loses events in a rebalance. It counts every jump in the offsets that arrive as a hole in the log,
acked, though it drops records itself: those of a fetch that a rebalance overtook, and those that wait in a stream
when the flow is resumed (mode/utils/queues.py, `FlowControlEvent.resume` clears them). It lets partitions flow before
it has sought to their committed offsets, does not seek at all where nothing was ever committed, and commits a run
of acked offsets that does not begin at the last commit.

Here each partition has books (processors/offsets.py) from the moment it is sought until it is revoked. Nothing
is delivered without them, and nothing is committed but what they call ended. Records that a stream was given and
nobody holds any more, unacked, are a bug by then: the process ends, and they are read again.

Each function replaces the method of `faust.transport.consumer.Consumer` whose name it has, or of the class that its
docstring names; streams/hardening.py puts them in place.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from types import coroutine
from typing import Any, cast
from weakref import WeakValueDictionary

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import ensure_aiokafka_TPset
from faust.types import TP

from processors.offsets import Offsets, Verdict, below
from streams.ending import die

#: Seconds that one fetch may wait for records.
FETCH_S = 1.0


class DroppedError(Exception):
    """An event was given to a stream, and nobody holds it any more."""


@dataclass(slots=True)
class Books:
    """A partition's offsets, and the messages of it that somebody holds, by offset."""

    offsets: Offsets
    held: WeakValueDictionary[int, Any] = field(default_factory=WeakValueDictionary)


def books_of(consumer: Any) -> dict[TP, Books]:
    """Partition → its books, of those that were sought and not revoked since."""
    found: dict[TP, Books] = consumer.__dict__.setdefault("books", {})
    return found


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


async def drain_messages(self: Any, fetcher: Any) -> None:
    """Fetch for ever, and give the streams what is due (`Consumer._drain_messages`)."""
    try:
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            await asyncio.sleep(0)
            records, active = await self._wait_next_records(FETCH_S)
            if records and self.flow_active and not self.should_stop:
                await _hand_out(self, records, active)
    except (asyncio.CancelledError, *self.consumer_stopped_errors):
        if not self.app.should_stop:
            raise


async def _hand_out(consumer: Any, records: Any, active: Any) -> None:
    """Give one fetch to the streams. A rebalance ends it: what is left of it will be read again."""
    generation = consumer.app.consumer_generation_id
    before: dict[TP, int] = {}
    rereads: set[TP] = set()
    for tp in records:
        consumer.app.monitor.track_tp_end_offset(tp, consumer.highwater(tp))
    for number, (tp, record) in enumerate(consumer.scheduler.iterate(records)):
        if number % 100 == 99:
            await _breathe(consumer)
        if not consumer.flow_active or consumer.app.consumer_generation_id != generation:
            return
        last, before[tp] = before.get(tp), record.offset
        if tp in rereads or not (active is None or tp in active or tp in consumer._buffered_partitions):
            continue
        if not consumer.app.topics.acks_enabled_for(tp.topic):
            await _hand_out_changelog(consumer, tp, record)
        elif (books := books_of(consumer).get(tp)) is not None:
            verdict = books.offsets.judge(record.offset, last)
            if verdict is Verdict.REREAD:
                rereads.add(tp)
            elif verdict is Verdict.DELIVER and not await _deliver(consumer, books, consumer._to_message(tp, record)):
                return
    await _seek_to_due(consumer, rereads)


async def _breathe(consumer: Any) -> None:
    """Let others run, and commit when much has been acked."""
    await asyncio.sleep(0)
    if consumer._commit_every is not None and consumer._n_acked >= consumer._commit_every:
        consumer._n_acked = 0
        await consumer.commit()


async def _deliver(consumer: Any, books: Books, message: Any) -> bool:
    """Give a message to its stream; False when a rebalance came between."""
    if not await _call_back(consumer, message) or books_of(consumer).get(message.tp) is not books:
        return False
    books.held[message.offset] = message
    books.offsets.delivered()
    return True


async def _hand_out_changelog(consumer: Any, tp: TP, record: Any) -> None:
    """Give a table what its changelog says; tables seek by themselves (faust/tables/recovery.py)."""
    read: int | None = consumer._read_offset[tp]
    if read is None or record.offset >= read:
        await _call_back(consumer, consumer._to_message(tp, record))
        consumer._read_offset[tp] = record.offset


async def _call_back(consumer: Any, message: Any) -> bool:
    """Call the conductor; False when the flow was suspended before it had done.

    It hardly ever waits for anything, so it is begun by hand: two tasks for each message cost more than itself.
    """
    delivery = consumer.callback(message)
    try:
        waits_for = delivery.send(None)
    except StopIteration:
        return True
    rest = asyncio.ensure_future(_rest_of(delivery, waits_for))
    suspended = asyncio.ensure_future(consumer.suspend_flow.wait())
    try:
        await asyncio.wait({rest, suspended}, return_when=asyncio.FIRST_COMPLETED)
        if rest.done():
            rest.result()
            return True
        return False
    finally:
        rest.cancel()
        suspended.cancel()


async def _rest_of(begun: Any, waits_for: Any) -> None:
    await _resume(begun, waits_for)


@coroutine
def _resume(begun: Any, waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun by hand and waits for a future."""
    while True:
        try:
            answer = yield waits_for
        except BaseException as error:  # thrown in by the event loop: it is the coroutine's, as an answer is
            step, argument = begun.throw, error
        else:
            step, argument = begun.send, answer
        try:
            waits_for = step(argument)
        except StopIteration:
            return


async def _seek_to_due(consumer: Any, partitions: Iterable[TP]) -> None:
    """Read again from what is due; partitions that were revoked meanwhile are left."""
    books = {tp: books_of(consumer)[tp] for tp in partitions if tp in books_of(consumer)}
    if not books:
        return
    due = {tp: found.offsets.due for tp, found in books.items()}
    consumer.log.info("Reading again from what is due: %r", due)
    try:
        await consumer.seek_wait(due)
    except IllegalStateError as error:
        consumer.log.info("Not read again, as partitions were revoked: %r", error)
        return
    for found in books.values():
        found.offsets.reread()


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
    return ended if ended > committed else None


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
    await self.commit_and_end_transactions()


async def on_recovery_completed(self: Any, generation_id: int = 0) -> None:
    """Let the streams flow (`faust.tables.recovery.Recovery`): seek first, then clear their buffers, then resume.

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
    app.flow_control.resume()
    consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
    consumer.resume_flow()
    await cast(Any, app)._fetcher.maybe_start()
    self.tables.on_actives_ready()
    if not app.assignor.assigned_standbys():
        self.tables.on_standbys_ready()
    app.on_rebalance_end()
    self.log.info("Worker ready")


def _is_reassigned(consumer: Any) -> bool:
    """Whether a rebalance has begun whose assignment is not known yet."""
    return bool(consumer._thread._ensure_consumer()._subscription.reassignment_in_progress)
