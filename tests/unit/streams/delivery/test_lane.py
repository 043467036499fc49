"""Tests of what waits for a stage: batches in order, of one generation, and bounded."""

from faust.types import TP

from processors.delivery.offsets import PartitionOffsets
from streams.delivery.lane import Lane
from streams.faust_patches.books import PartitionBooks


def offsets(events):
    return [event.offset for event in events]


def events(event, *numbers, **more):
    return [event(offset=number, **more) for number in numbers]


def test_parts_are_cut_into_batches_in_the_order_in_which_they_came(event, part_of):
    lane = Lane()
    for numbers in ((0, 1, 2), (3, 4)):
        lane.put(part_of(events(event, *numbers)))
    lane.put(part_of(events(event, 7, partition=1)))
    assert [offsets(lane.cut(2, 0)) for _ in range(3)] == [[0, 1], [2, 3], [4, 7]]
    assert (len(lane), lane.cut(2, 0)) == (0, [])


def test_a_batch_is_of_one_log(event, part_of):
    lane, first = Lane(), part_of(events(event, 0, 1))
    lane.put(first)
    lane.put(part_of(events(event, 2, 5)))
    lane.put(part_of(events(event, 0), books=PartitionBooks(PartitionOffsets(0))))  # the log was made anew
    batch = lane.cut(10, 0)
    assert (offsets(batch), batch.books) == ([0, 1, 2, 5], {0: first.books})
    assert offsets(lane.cut(10, 0)) == [0]


def test_a_batch_knows_what_it_covers(event, part_of):
    lane = Lane()
    lane.put(part_of(events(event, 0, 1, 2, 3)))
    batch = lane.cut(2, 0)
    assert [batch.covers(TP("genesys.raw", 0), offset) for offset in range(3)] == [True, True, False]
    assert not batch.covers(TP("genesys.raw", 1), 0)


def test_what_is_of_another_generation_is_left(event, part_of):
    lane = Lane()
    lane.put(part_of(events(event, 0, 1), generation=4))
    lane.put(part_of(events(event, 0), generation=5))
    batch = lane.cut(10, 5)
    assert (offsets(batch), batch.generation, len(lane)) == ([0], 5, 0)


def test_it_is_full_by_events_until_they_are_cut_off(event, part_of):
    lane = Lane(max_events=2)
    lane.put(part_of(events(event, 0)))
    assert not lane.is_full
    lane.put(part_of(events(event, 1, 2)))
    assert lane.is_full
    lane.cut(2, 0)
    assert not lane.is_full


def test_it_is_full_by_bytes_until_they_have_ended(event, part_of):
    lane = Lane(max_bytes=10)
    lane.put(part_of(events(event, 0, value=b"x" * 6)))
    lane.put(part_of(events(event, 1, value=b"x" * 4)))
    batch = lane.cut(10, 0)
    assert lane.is_full
    lane.release(batch, batch[:1])
    assert not lane.is_full


def test_what_is_left_makes_room_and_is_held_no_more(event, part_of):
    lane, tp = Lane(max_bytes=10), TP("genesys.raw", 0)
    lane.put(part_of(events(event, 0, 1, value=b"x" * 5)))
    lane.cut(1, 0)
    lane.put(part_of(events(event, 2, value=b"x" * 5)))
    assert (lane.holds(tp, 1), lane.holds(tp, 2), lane.holds(tp, 3)) == (True, True, False)
    lane.clear()
    assert (len(lane), lane.is_full) == (0, False)
    assert not lane.holds(tp, 1)


def test_what_of_a_batch_has_not_ended_makes_room_when_it_is_closed(event, part_of):
    lane = Lane(max_bytes=10)
    lane.put(part_of(events(event, 0, 1, 2, value=b"x" * 5)))
    batch = lane.cut(3, 0)
    lane.release(batch, batch[:1])
    assert lane.is_full
    assert (lane.close(batch), lane.is_full, lane._bytes) == (2, False, 0)
