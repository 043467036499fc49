"""This module gives the streams what Kafka has, in Faust's stead: each record once, in order, and none left out.

Stock Faust 0.15.3 loses events in a rebalance. It counts every jump in the offsets that arrive as a hole in the log,
acked, though it drops records itself: those of a fetch that a rebalance overtook, and those that wait in a stream
when the flow is resumed (mode/utils/queues.py, `FlowControlEvent.resume` clears them).

Here each partition has books (processors/delivery/offsets.py) from the moment it is sought until it is revoked
(partitions.py). Nothing is delivered without them, and a jump is read again before it is believed (seek_due.py).
What stages process goes to them by whole fetches (lanes.py), the rest record by record.
apply.py puts `drain_messages` in the place of `faust.transport.consumer.Consumer._drain_messages`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from types import coroutine
from typing import Any

from faust.transport.drivers.aiokafka import ensure_aiokafka_TP
from faust.types import TP

from processors.delivery.offsets import OffsetVerdict
from streams.faust_patches import lanes
from streams.faust_patches.partition_books import PartitionBooks, books_of
from streams.faust_patches.seek_due import seek_to_due


async def drain_messages(self: Any, fetcher: Any) -> None:
    """Fetch for ever, and give the streams what is due (`Consumer._drain_messages`).

    What a fetch brings that a rebalance overtook is left out: it may be from behind where a table has sought to since,
    and a table takes nothing from before what it was given.
    """
    pause_s = 0.0
    try:
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            await asyncio.sleep(pause_s)
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
            generation = self.app.consumer_generation_id
            records, active = await lanes.next_records(self)
            pause_s = lanes.pause_after(records)
            handed: dict[TP, int] = {}
            is_overtaken = self.app.consumer_generation_id != generation
            if self.flow_active and not self.should_stop and not is_overtaken:
                await _hand_out(self, records or {}, active, handed)
            await _rewind_tables(self, records or {}, handed)
    except (asyncio.CancelledError, *self.consumer_stopped_errors):
        if not self.app.should_stop:
            raise


async def _hand_out(consumer: Any, records: Any, active: Any, handed: dict[TP, int]) -> None:
    """Give one fetch to lanes and streams, and read again what was left out of it; note in `handed` what tables got.

    A rebalance ends it: then the seek that follows reads the rest.
    """
    generation = consumer.app.consumer_generation_id
    before: dict[TP, int] = {}
    paused: set[TP] = set()
    for tp in records:
        consumer.app.monitor.track_tp_end_offset(tp, consumer.highwater(tp))
    rest = lanes.fill_lanes(consumer, records, active)
    for number, (tp, record) in enumerate(consumer.scheduler.iterate(rest)):
        if number % 100 == 99:
            await _breathe(consumer)
        if not consumer.flow_active or consumer.app.consumer_generation_id != generation:
            return
        last, before[tp] = before.get(tp), record.offset
        if not (active is None or tp in active or tp in consumer._buffered_partitions):
            paused.add(tp)  # for the rest of this fetch: nothing is handed on behind what was left out
        if not await _hand(consumer, tp, record, last, tp not in paused):
            return
        if tp not in paused:
            handed[tp] = record.offset + 1
    if consumer.flow_active and consumer.app.consumer_generation_id == generation:
        await seek_to_due(consumer)


async def _hand(consumer: Any, tp: TP, record: Any, last: int | None, flows: bool) -> bool:
    """Give one record to its stream, or leave it out; False when a rebalance came between.

    `last`: the offset before it in the same fetch; `flows`: whether its partition is not paused.
    """
    if not consumer.app.topics.acks_enabled_for(tp.topic):
        return not flows or await _hand_to_table(consumer, tp, record)
    books = books_of(consumer).get(tp)
    if books is None:
        return True
    if not flows:
        books.offsets.left_out()
        return True
    verdict = books.offsets.judge(record.offset, last)
    return verdict is not OffsetVerdict.DELIVER or await _deliver(consumer, books, consumer._to_message(tp, record))


async def _breathe(consumer: Any) -> None:
    """Let others run, and commit when much has been acked."""
    await asyncio.sleep(0)
    if consumer._commit_every is not None and consumer._n_acked >= consumer._commit_every:
        consumer._n_acked = 0
        await consumer.commit()


async def _deliver(consumer: Any, books: PartitionBooks, message: Any) -> bool:
    """Give a message to its stream; False when a rebalance came between."""
    if not await _call_back(consumer, message) or books_of(consumer).get(message.tp) is not books:
        return False
    books.held[message.offset] = message
    books.offsets.delivered()
    return True


async def _rewind_tables(consumer: Any, records: Any, handed: dict[TP, int]) -> None:
    """Have what a fetch holds of changelogs, and no table was given, fetched again.

    A recovery seeks before it lets the flow go on, so a fetch that was under way may bring its records too early.
    Stock Faust drops them, and waits for them for ever (faust/tables/recovery.py, `signal_recovery_end`).
    """
    left: dict[TP, tuple[int, int]] = {}
    for tp, found in records.items():
        reached, end = handed.get(tp, found[0].offset), found[-1].offset + 1
        if reached < end and not consumer.app.topics.acks_enabled_for(tp.topic):
            left[tp] = (reached, end)
    if left:
        consumer.log.info("Reading again what no table was given: %r", left)
        await consumer._thread.call_thread(_rewind, consumer._thread._ensure_consumer(), left)


async def _rewind(kafka: Any, left: dict[TP, tuple[int, int]]) -> None:
    """In the consumer's thread, so that no seek comes between; what was sought since stays as it is."""
    assignment = kafka._subscription.subscription.assignment
    for tp, (reached, end) in left.items():
        state = assignment.state_value(tp) if assignment is not None and tp in assignment.tps else None
        if state is not None and state.has_valid_position and state.position == end:
            kafka.seek(ensure_aiokafka_TP(tp), reached)


async def _hand_to_table(consumer: Any, tp: TP, record: Any) -> bool:
    """Give a table what its changelog says, from where it sought to; False when a rebalance came between."""
    read: int | None = consumer._read_offset[tp]
    if read is None or record.offset >= read:
        if not await _call_back(consumer, consumer._to_message(tp, record)):
            return False
        consumer._read_offset[tp] = record.offset
    return True


async def _call_back(consumer: Any, message: Any) -> bool:
    """Call the conductor; False when the flow was suspended before it had done.

    When a rebalance clears a stream's full buffer, the wait for room in it is cancelled (mode/utils/queues.py,
    `ThrowableQueue.clear`): that ends this message's delivery alone, not the reading of what comes after it.
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
        if not rest.done() or rest.cancelled():
            return False
        rest.result()
        return True
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
