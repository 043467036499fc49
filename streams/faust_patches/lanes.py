"""This module takes whole fetches past Faust's streams: a partition's records go to their stage as they came.

Through a stream every record costs a message, an event, a queue's turn and a weak reference; that is most of what a
worker did. What a stage processes needs none of it: its topic has a lane (partition_books.py), which is given what of a
fetch is due by the books and says itself what it still holds. Tables and sources go Faust's way (fetch.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from faust.types import TP
from mode.utils.futures import notify

from streams.faust_patches.partition_books import Part, PartitionBooks, books_of, lanes_of

#: Seconds that one fetch may wait for records.
FETCH_S = 1.0

#: The same while a lane is full: what its partitions have may be asked for soon.
FULL_S = 0.05

#: A fetch of fewer records is followed by so many seconds in which more of them come together: each costs a change of
#: threads and a batch of every stage, however few they are.
SMALL_FETCH, GATHER_S = 100, 0.005

_offset: Callable[[Any], int] = attrgetter("offset")


async def next_records(consumer: Any) -> tuple[Any, Any]:
    """Fetch, but for the topics whose lanes are full; gives records by partition, and the partitions that flow.

    What a lane has no room for stays with aiokafka, which then fetches no more of it.
    """
    full = {topic for topic, lane in lanes_of(consumer).items() if lane.is_full}
    if not full:
        fetched: tuple[Any, Any] = await consumer._wait_next_records(FETCH_S)
        return fetched
    active = consumer._get_active_partitions()
    wanted = {tp for tp in active if tp.topic not in full}
    if not wanted:
        await asyncio.sleep(FULL_S)
        return {}, active
    return await consumer._getmany(active_partitions=wanted, timeout=FULL_S), active


def pause_after(records: Mapping[TP, Any]) -> float:
    """Seconds to let pass before the next fetch."""
    count = sum(map(len, (records or {}).values()))
    return GATHER_S if 0 < count < SMALL_FETCH else 0.0


def fill_lanes(consumer: Any, records: Mapping[TP, Any], active: Any) -> dict[TP, Any]:
    """Give the lanes what of a fetch is due, and the rest back. It waits for nothing, so no rebalance comes between."""
    lanes, rest = lanes_of(consumer), {}
    for tp, found in records.items():
        lane = lanes.get(tp.topic)
        if lane is None:
            rest[tp] = found
            continue
        books = books_of(consumer).get(tp)
        if books is None:
            continue
        if active is not None and tp not in active:  # paused meanwhile
            books.offsets.left_out()
            continue
        places = books.offsets.take(list(map(_offset, found)))
        if places:
            due = found if len(places) == len(found) else [found[place] for place in places]
            lane.put(Part(tp, consumer.app.consumer_generation_id, books, due))
    return rest


def acknowledge(consumer: Any, settled: Iterable[tuple[Mapping[int, PartitionBooks], Iterable[Any]]]) -> None:
    """Note what has ended in the books it was given from: those of an earlier assignment commit nothing any more.

    `settled`: partition → books, and records of these partitions.
    """
    offsets: dict[PartitionBooks, list[int]] = {}
    for books, records in settled:
        for record in records:
            offsets.setdefault(books[record.partition], []).append(record.offset)
    for one, acked in offsets.items():
        one.offsets.ack(acked)
    notify(consumer._waiting_for_ack)


def holds(consumer: Any, tp: TP, offset: int) -> bool:
    """Whether an offset that was given out is still somebody's to end."""
    lane = lanes_of(consumer).get(tp.topic)
    return offset in books_of(consumer)[tp].held or (lane is not None and lane.holds(tp, offset))
