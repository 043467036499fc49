"""Tests of a partition's books: nothing is called ended that may be missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.offsets import OffsetVerdict, PartitionOffsets
from processors.delivery.settled_offsets import ranges


def hand_out(offsets, *fetch):
    """Give the records of one fetch, as the consumer does; gives the offsets that were delivered."""
    delivered, before = [], None
    for offset in fetch:
        verdict = offsets.judge(offset, before)
        before = offset
        if verdict is OffsetVerdict.REREAD:
            break
        if verdict is OffsetVerdict.DELIVER:
            offsets.delivered()
            delivered.append(offset)
    return delivered


def test_what_follows_is_delivered_and_what_was_is_not():
    offsets = PartitionOffsets(5)
    assert hand_out(offsets, 5, 6, 7) == [5, 6, 7]
    assert hand_out(offsets, 6, 7, 8) == [8]


def test_a_jump_between_two_fetches_is_no_hole_until_it_was_read_again():
    offsets = PartitionOffsets(5)
    assert offsets.judge(16, None) is OffsetVerdict.REREAD
    offsets.reread()
    assert hand_out(offsets, 5, 6) == [5, 6]
    assert offsets.ended(5, {5, 6}) == 7
    assert offsets.judge(16, None) is OffsetVerdict.REREAD, "what was read again says nothing of later offsets"


def test_a_jump_that_is_there_again_is_a_hole():
    offsets = PartitionOffsets(5)
    offsets.reread()
    assert hand_out(offsets, 16, 17) == [16, 17]
    assert offsets.ended(5, {16}) == 17
    assert offsets.ended(5, {17}) == 16, "the hole is passed, the record behind it is not"


def test_a_jump_inside_a_fetch_is_a_hole():
    offsets = PartitionOffsets(5)
    assert hand_out(offsets, 5, 8) == [5, 8]
    assert offsets.ended(5, {5}) == 8


def test_what_is_fetched_and_not_delivered_is_behind_until_it_proves_to_be_a_hole():
    offsets = PartitionOffsets(5)
    assert not offsets.is_behind(5)
    assert offsets.is_behind(8)
    offsets.reread()
    assert not offsets.is_behind(8), "read again, and there was nothing"
    assert offsets.due == 8
    assert offsets.ended(5, set()) == 8


def test_a_jump_behind_what_was_left_out_of_the_same_fetch_is_none():
    offsets = PartitionOffsets(5)
    assert offsets.judge(7, 6) is OffsetVerdict.REREAD


@pytest.mark.parametrize(
    ("committed", "acked", "ended"),
    [(5, set(), 5), (5, {6, 7}, 5), (5, {5}, 6), (5, {5, 6, 8}, 7)],
    ids=["nothing acked", "the first is in flight", "one", "up to the one in flight"],
)
def test_the_lowest_offset_that_has_not_ended(committed, acked, ended):
    offsets = PartitionOffsets(5)
    hand_out(offsets, *range(5, 10))
    assert offsets.ended(committed, acked) == ended


def test_holes_below_a_commit_are_forgotten():
    offsets = PartitionOffsets(0)
    hand_out(offsets, 0, 2, 4)
    offsets.forget_below(2)
    assert offsets.ended(2, {2}) == 4
    assert offsets.ended(0, {0}) == 1


@given(
    log=st.sets(st.integers(0, 60), min_size=1),
    drops=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8), st.booleans()), max_size=30),
)
def test_whatever_is_dropped_on_the_way_no_record_is_passed_over(log, drops):
    """Fetches begin anywhere and lose what they like; all that is called ended was delivered, or never was."""
    offsets, delivered = PartitionOffsets(0), set()
    for start, length, sought in drops:
        if sought:  # as the consumer does after a jump
            offsets.reread()
            start = offsets.due
        fetch = sorted(offset for offset in log if offset >= start)[:length]
        delivered.update(hand_out(offsets, *fetch))
        ended = offsets.ended(0, delivered)
        assert {offset for offset in log if offset < ended} <= delivered
        assert ended <= offsets.due


def test_what_expired_ends_when_it_was_told_but_for_what_was_settled():
    offsets = PartitionOffsets(10, [(12, 14), (18, 19)])
    assert offsets.expired(16) == [(10, 12), (14, 16)]
    assert offsets.due == 16
    assert offsets.ended(10, set()) == 10
    offsets.closed((10, 12))
    assert offsets.ended(10, set()) == 14
    offsets.closed((14, 16))
    assert offsets.ended(10, set()) == 16


def test_what_begins_before_what_is_due_has_not_expired():
    offsets = PartitionOffsets(10)
    assert offsets.expired(10) == offsets.expired(3) == []
    assert offsets.due == 10


def test_settled_offsets_may_reach_beyond_what_expired():
    offsets = PartitionOffsets(10, [(12, 30)])
    assert offsets.expired(16) == [(10, 12)]
    assert offsets.due == 30


@given(
    log=st.sets(st.integers(0, 60), min_size=1),
    settled=st.sets(st.integers(0, 60)),
    drops=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8), st.booleans()), max_size=30),
)
def test_a_whole_fetch_is_judged_as_its_records_are(log, settled, drops):
    known = ranges(settled)
    one_by_one, at_once = PartitionOffsets(0, list(known)), PartitionOffsets(0, list(known))
    for start, length, sought in drops:
        if sought:
            one_by_one.reread()
            at_once.reread()
            start = one_by_one.due
        fetch = sorted(offset for offset in log if offset >= start)[:length]
        if fetch:
            due = hand_out(one_by_one, *fetch)
            assert [fetch[place] for place in at_once.take(fetch)] == due
            assert at_once == one_by_one


@given(acked=st.lists(st.lists(st.integers(0, 40), unique=True), max_size=8))
def test_what_is_acked_in_parts_has_ended_as_if_it_was_acked_one_by_one(acked):
    offsets = PartitionOffsets(0)
    offsets.take(range(41))
    for part in acked:
        offsets.ack(part)
    together = {offset for part in acked for offset in part}
    expected = next(offset for offset in range(42) if offset not in together)
    assert offsets.ended(0, ()) == expected
    assert offsets.settled_above(expected, ()) == ranges(offset for offset in together if offset > expected)
