"""Tests of what waits for a stage: batches in order, of one generation, and bounded."""

from faust.types import TP

from processors.delivery.offsets import PartitionOffsets
from streams.delivery.buffer import StageBuffer
from streams.faust_patches.partition_books import PartitionBooks


def offsets(events):
    return [event.offset for event in events]


def events(event, *numbers, **more):
    return [event(offset=number, **more) for number in numbers]


def test_parts_are_cut_into_batches_in_the_order_in_which_they_came(event, part_of):
    buffer = StageBuffer()
    for numbers in ((0, 1, 2), (3, 4)):
        buffer.put(part_of(events(event, *numbers)))
    buffer.put(part_of(events(event, 7, partition=1)))
    assert [offsets(buffer.cut(2, 0)) for _ in range(3)] == [[0, 1], [2, 3], [4, 7]]
    assert (len(buffer), buffer.cut(2, 0)) == (0, [])


def test_a_batch_is_of_one_log(event, part_of):
    buffer, first = StageBuffer(), part_of(events(event, 0, 1))
    buffer.put(first)
    buffer.put(part_of(events(event, 2, 5)))
    buffer.put(part_of(events(event, 0), books=PartitionBooks(PartitionOffsets(0))))  # the log was made anew
    batch = buffer.cut(10, 0)
    assert (offsets(batch), batch.books) == ([0, 1, 2, 5], {0: first.books})
    assert offsets(buffer.cut(10, 0)) == [0]


def test_a_batch_knows_what_it_covers(event, part_of):
    buffer = StageBuffer()
    buffer.put(part_of(events(event, 0, 1, 2, 3)))
    batch = buffer.cut(2, 0)
    assert [batch.covers(TP("genesys.raw", 0), offset) for offset in range(3)] == [True, True, False]
    assert not batch.covers(TP("genesys.raw", 1), 0)


def test_what_is_of_another_generation_is_left(event, part_of):
    buffer = StageBuffer()
    buffer.put(part_of(events(event, 0, 1), generation=4))
    buffer.put(part_of(events(event, 0), generation=5))
    batch = buffer.cut(10, 5)
    assert (offsets(batch), batch.generation, len(buffer)) == ([0], 5, 0)


def test_it_is_full_by_events_until_they_are_cut_off(event, part_of):
    buffer = StageBuffer(max_events=2)
    buffer.put(part_of(events(event, 0)))
    assert not buffer.is_full
    buffer.put(part_of(events(event, 1, 2)))
    assert buffer.is_full
    buffer.cut(2, 0)
    assert not buffer.is_full


def test_it_is_full_by_bytes_until_they_have_ended(event, part_of):
    buffer = StageBuffer(max_bytes=10)
    buffer.put(part_of(events(event, 0, value=b"x" * 6)))
    buffer.put(part_of(events(event, 1, value=b"x" * 4)))
    batch = buffer.cut(10, 0)
    assert buffer.is_full
    buffer.release(batch, batch[:1])
    assert not buffer.is_full


def test_what_is_left_makes_room_and_is_held_no_more(event, part_of):
    buffer, tp = StageBuffer(max_bytes=10), TP("genesys.raw", 0)
    buffer.put(part_of(events(event, 0, 1, value=b"x" * 5)))
    buffer.cut(1, 0)
    buffer.put(part_of(events(event, 2, value=b"x" * 5)))
    assert (buffer.holds(tp, 1), buffer.holds(tp, 2), buffer.holds(tp, 3)) == (True, True, False)
    buffer.clear()
    assert (len(buffer), buffer.is_full) == (0, False)
    assert not buffer.holds(tp, 1)


def test_what_of_a_batch_has_not_ended_makes_room_when_it_is_closed(event, part_of):
    buffer = StageBuffer(max_bytes=10)
    buffer.put(part_of(events(event, 0, 1, 2, value=b"x" * 5)))
    batch = buffer.cut(3, 0)
    buffer.release(batch, batch[:1])
    assert buffer.is_full
    assert (buffer.close(batch), buffer.is_full, buffer._bytes) == (2, False, 0)
