"""This module plants bugs: of each loss that docs/decisions.md tells of, what the code did, or would do without.

Each replaces one function or method for as long as it is planted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from faust.transport.consumer import Consumer

from clients.aws.events.bus_lane import BusLane
from clients.aws.events.eventbridge import Accepted, Outage, RefusedEntry
from clients.aws.events.publisher import Publisher
from processors.delivery.offset_ranges import runs
from processors.delivery.offsets import PartitionOffsets
from streams.delivery.buffer import Batch, StageBuffer
from streams.delivery.ledger import Ledger
from streams.delivery.packed_producer import PackedProducer
from streams.delivery.send import Sender
from streams.delivery.stage import StageRunner
from streams.faust_patches import fetch, lanes, partitions
from streams.faust_patches.partition_books import books_of


@dataclass(frozen=True, slots=True)
class Bug:
    """`put` replaces `name` of `owner`; `kind`: in which simulation it shows; `also`: what else it takes to show."""

    words: str
    owner: Any
    name: str
    put: Callable[..., Any]
    kind: str = "consuming"
    also: Bug | None = None

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        """While it lasts, the code has the bug."""
        also = self.also.planted() if self.also else contextlib.nullcontext()
        with mock.patch.object(self.owner, self.name, self.put), also:
            yield


def _every_jump_is_a_hole(self: PartitionOffsets, before: int | None) -> bool:
    return True


def _only_the_position_tells(self: PartitionOffsets, position: int) -> bool:
    if position > self.due:
        self._ended.add(self.due, position)
        self.due = position
    return False


async def _never_read_again(consumer: Any) -> None:
    return


def _highest_acked(self: Any, tp: Any) -> int | None:
    acked = self._acked_index[tp]
    return max(acked) + 1 if acked else None


def _run_that_begins_anywhere(self: PartitionOffsets, committed: int, acked: Any) -> int:
    starts = [*acked, *(start for start, _ in self._ended)]
    position = min(starts, default=committed)
    while position in acked or self._ended.behind(position) > position:
        position = max(self._ended.behind(position), position + (position in acked))
    return position


async def _forgotten_before_committed(self: Any, revoked: Any) -> None:
    for tp in revoked:
        books_of(self).pop(tp, None)
        for kept in (self._acked, self._acked_index, self._read_offset, self._committed_offset):
            kept.pop(tp, None)
    await self._on_partitions_revoked(revoked)
    await _on_partitions_revoked(self, set())


async def _books_kept(self: Any, revoked: Any) -> None:
    await self._on_partitions_revoked(revoked)


async def _overtaken_and_handed_out(self: Any, fetcher: Any) -> None:
    while True:
        records, active = await lanes.next_records(self)
        handed: dict[Any, int] = {}
        if self.flow_active:
            await fetch._hand_out(self, records or {}, active, handed)
        await fetch._rewind_tables(self, records or {}, handed)


async def _ends_with_a_cleared_buffer(consumer: Any, message: Any) -> bool:
    delivery = asyncio.ensure_future(consumer.callback(message))
    suspended = asyncio.ensure_future(consumer.suspend_flow.wait())
    try:
        await asyncio.wait({delivery, suspended}, return_when=asyncio.FIRST_COMPLETED)
        return delivery.done() and (delivery.result(), True)[1]
    finally:
        delivery.cancel()
        suspended.cancel()


def _given_is_settled(self: PartitionOffsets, committed: int, acked: Any) -> list[tuple[int, int]]:
    return [(committed + 1, self.due)] if self.due > committed + 1 else []


def _settled_are_too_many(self: PartitionOffsets) -> None:
    while self.settled and self.settled[0][0] <= self.due + 1:
        _, end = self.settled.pop(0)
        self._ended.add(self.due, end)
        self.due = end


def _nothing_is_noted(self: PartitionOffsets, committed: int, acked: Any) -> list[tuple[int, int]]:
    return []


async def _tables_not_rewound(consumer: Any, records: Any, handed: Any) -> None:
    return


async def _waits_for_ever(self: Any) -> None:
    while self._unacked_messages:
        await self._wait_for_ack(timeout=1)
        self._clean_unacked_messages()
    await self.commit_and_end_transactions()


def _paused_and_skipped(self: PartitionOffsets) -> None:
    self.due += 1


async def _sent_when_it_is_queued(self: PackedProducer, records: Any) -> list[Any]:
    for pack in await self._packed(records, [None] * len(records)):
        await self._kafka.send_batch(pack.builder, pack.topic, partition=pack.partition)
    return [None] * len(records)


async def _refused_and_forgotten(self: Sender, producer: Any, records: Any, call: object) -> list[Any]:
    await _attempt(self, producer, records, call)
    return [None] * len(records)


def _acked_before_they_are_counted(self: Ledger, batch: Any, events: Any) -> None:
    self._acknowledge([(batch, events)])
    self.start()


def _out_of_turn(self: Publisher, entry: Any, key: str, heard: Any) -> Any:
    return _submit(self, entry, object(), heard)  # a key that nobody else has


def _not_withdrawn(self: Publisher, all_pending: Any) -> None:
    """Whoever waits for the end of these waits as before."""


def _a_silence_refuses(self: BusLane, waiting: Any, result: Any) -> None:
    _settle(self, waiting, RefusedEntry("Unanswered", result.reason) if isinstance(result, Outage) else result)


async def _one_answer_for_all(self: BusLane, request: Any) -> None:
    results = await self._put([pending.entry for pending in request])
    best = next((result for result in results if isinstance(result, Accepted)), results[0])
    self.gate.note(results)
    for pending in request:
        self._settle(pending, best)


async def _settled_while_it_waits(self: StageRunner, batch: Any) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await self._handle(batch, lambda events: None)  # type: ignore[call-arg]
    self._end(batch, batch)
    self._open.pop(id(batch))


async def _busy_for_ever(self: Any) -> None:
    while any(lane.is_busy for lane in self.app.lanes.values()):
        await self.commit()
        await self._wait_for_ack(timeout=1)
    await self.commit_and_end_transactions()


def _one_too_many(self: PartitionOffsets, offsets: Any) -> None:
    for start, end in runs(offsets):
        self._ended.add(start, end + 1)


def _all_of_a_fetch_is_due(self: PartitionOffsets, offsets: Any) -> Any:
    self.due = self.reached = offsets[-1] + 1
    return range(len(offsets))


def _nothing_is_left(self: StageBuffer) -> None:
    return


def _whatever_its_generation(self: StageBuffer, number: int, generation: int) -> Batch:
    batch = _cut(self, number, self._parts[0].generation) if self._parts else Batch()
    batch.generation = generation
    return batch


def _one_is_forgotten(self: StageRunner, batch: Any, events: Any) -> None:
    _end(self, batch, [event for event in events if event.offset % 7])


def _settled_is_nobody_s(self: Ledger, tp: Any, offset: int) -> bool:
    return False


def _acked_what_has_begun(self: StageRunner, batch: Any, events: Any) -> None:
    _end(self, batch, [event for event in batch if event.offset <= events[-1].offset])


_attempt = Sender._attempt
_settle, _submit = BusLane._settle, Publisher.submit
_on_partitions_revoked = partitions.on_partitions_revoked
_cut, _end = StageBuffer.cut, StageRunner._end

BUGS = (
    Bug("every jump in the offsets is a hole", PartitionOffsets, "_is_hole", _every_jump_is_a_hole),
    Bug("a position beyond what is due is a hole at the end", PartitionOffsets, "is_behind", _only_the_position_tells),
    Bug("what was left out is not read again", fetch, "seek_to_due", _never_read_again),
    Bug("the commit follows the highest ack", Consumer, "_new_offset", _highest_acked),
    Bug("a run of acks need not begin at the last commit", PartitionOffsets, "ended", _run_that_begins_anywhere),
    Bug("a revocation forgets before it commits", Consumer, "on_partitions_revoked", _forgotten_before_committed),
    Bug("books outlive a revocation", Consumer, "on_partitions_revoked", _books_kept),
    Bug("a fetch is handed out that a rebalance overtook", Consumer, "_drain_messages", _overtaken_and_handed_out),
    Bug("a cleared buffer ends the reading", fetch, "_call_back", _ends_with_a_cleared_buffer),
    Bug("a note calls settled what was only given", PartitionOffsets, "settled_above", _given_is_settled),
    Bug("an heir passes one event too many", PartitionOffsets, "_pass_settled", _settled_are_too_many),
    Bug("what is settled above the commit is not noted", PartitionOffsets, "settled_above", _nothing_is_noted),
    Bug("what no table was given is not fetched again", fetch, "_rewind_tables", _tables_not_rewound),
    Bug("a rebalance waits for events in flight for ever", Consumer, "wait_empty", _waits_for_ever),
    Bug("what a paused partition left out counts as given", PartitionOffsets, "left_out", _paused_and_skipped),
    Bug("a record counts when it is queued", PackedProducer, "send", _sent_when_it_is_queued, "delivering"),
    Bug("a refused record is not sent again", Sender, "_attempt", _refused_and_forgotten, "delivering"),
    Bug("events are acked before they are counted", Ledger, "settled", _acked_before_they_are_counted, "delivering"),
    Bug("an entry does not wait for those of its key", Publisher, "submit", _out_of_turn, "delivering"),
    Bug("what a rebalance leaves is sent all the same", Publisher, "withdraw", _not_withdrawn, "delivering"),
    Bug("no answer is a refusal", BusLane, "_settle", _a_silence_refuses, "delivering"),
    Bug("one accepted entry speaks for its request", BusLane, "_request", _one_answer_for_all, "delivering"),
    Bug("a batch that waits long is settled", StageRunner, "settle", _settled_while_it_waits, "delivering"),
    Bug("an ack by range takes one too many", PartitionOffsets, "ack", _one_too_many, "lanes"),
    Bug("all of a fetch is due", PartitionOffsets, "take", _all_of_a_fetch_is_due, "lanes"),
    Bug("what has begun in a batch is acked with what has ended", StageRunner, "_end", _acked_what_has_begun, "lanes"),
    Bug("a stage forgets an event", StageRunner, "_end", _one_is_forgotten, "lanes"),
    Bug("what is settled counts as dropped", Ledger, "holds", _settled_is_nobody_s, "lanes"),
    Bug(
        "what waits outlives a rebalance",
        StageBuffer,
        "cut",
        _whatever_its_generation,
        "lanes",
        Bug("a buffer is not cleared at a revocation", StageBuffer, "clear", _nothing_is_left),
    ),
    Bug("a rebalance waits for open batches for ever", Consumer, "wait_empty", _busy_for_ever, "lanes"),
)

#: What is as wrong with ranges as with single records.
IN_LANES = (
    "every jump in the offsets is a hole",
    "a position beyond what is due is a hole at the end",
    "what was left out is not read again",
    "a run of acks need not begin at the last commit",
    "a revocation forgets before it commits",
    "books outlive a revocation",
    "a fetch is handed out that a rebalance overtook",
    "a note calls settled what was only given",
    "an heir passes one event too many",
    "what is settled above the commit is not noted",
    "what no table was given is not fetched again",
)
BUGS = (*BUGS, *(replace(bug, words=f"{bug.words}, in lanes", kind="lanes") for bug in BUGS if bug.words in IN_LANES))
