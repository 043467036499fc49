"""Tests of offsets as ranges: they say the same as single offsets would."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.offset_ranges import OffsetRanges, runs

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(-2, 9)), max_size=20)


def singles(ranges):
    return {offset for start, end in ranges for offset in range(start, end)}


@given(RANGES)
def test_what_was_added_is_there_in_order_and_no_two_ranges_touch(added):
    made = OffsetRanges()
    for start, length in added:
        made.add(start, start + length)
    found = list(made)
    assert singles(found) == singles((start, start + length) for start, length in added)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(found))
    assert bool(made) == bool(found)


@given(RANGES, st.integers(-1, 75))
def test_behind_an_offset_is_the_next_one_that_is_not_there(added, offset):
    made = OffsetRanges()
    for start, length in added:
        made.add(start, start + length)
    expected = offset
    while expected in singles(made):
        expected += 1
    assert made.behind(offset) == expected
    made.drop_below(offset)
    assert singles(made) >= {one for one in singles(made) if one >= offset}
    assert all(end > offset for _, end in made)


@given(st.sets(st.integers(0, 60)))
def test_single_offsets_are_runs(offsets):
    found = list(runs(offsets))
    assert singles(found) == offsets
    assert all(left[1] < right[0] for left, right in itertools.pairwise(found))
