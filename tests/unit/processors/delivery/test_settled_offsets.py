"""Tests of the note of settled offsets: nothing is ever called settled that was not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.settled_offsets import MAX_BYTES, UnreadableNoteError, decode_note, encode_note, ranges

offsets = st.sets(st.integers(0, 400) | st.integers(0, 2**62), max_size=200)
committed_offsets = st.integers(0, 2**61)


def covered(found):
    return {offset for start, end in found for offset in range(start, end)}


@given(committed_offsets, st.sets(st.integers(0, 5_000), max_size=400))
def test_a_note_says_what_was_settled(committed, above):
    settled = {committed + offset for offset in above}
    note = encode_note(committed, ranges(settled))
    assert len(note.encode("ascii")) <= MAX_BYTES
    assert covered(decode_note(note, committed)) == settled


@given(committed_offsets, offsets, st.integers(0, 300))
def test_what_does_not_fit_is_left_out_from_the_far_end(committed, above, max_bytes):
    settled = ranges(committed + offset for offset in above)
    note = encode_note(committed, settled, max_bytes)
    assert len(note) <= max_bytes
    found = decode_note(note, committed)
    assert found == settled[: len(found)]


@given(st.sets(st.integers(0, 60)), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9))))
def test_ranges_hold_what_they_were_made_of_and_lie_apart(singles, others):
    known = [(start, start + length) for start, length in others]
    found = ranges(singles, known)
    assert covered(found) == singles | covered(known)
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(committed_offsets, st.sets(st.integers(0, 5_000), min_size=1, max_size=50), st.data())
def test_a_damaged_note_is_refused_or_says_the_same(committed, above, data):
    note = encode_note(committed, ranges(committed + offset for offset in above))
    place = data.draw(st.integers(0, len(note) - 1))
    damaged = note[:place] + data.draw(st.characters(codec="ascii")) + note[place + 1 :]
    try:
        found = decode_note(damaged, committed)
    except UnreadableNoteError:
        return
    assert found == decode_note(note, committed)


@given(st.text())
def test_somebody_elses_metadata_is_refused(text):
    if text:
        with pytest.raises(UnreadableNoteError):
            decode_note(text, 7)


def test_a_note_counts_for_its_own_offset_alone():
    note = encode_note(7, [(9, 12)])
    assert decode_note(note, 7) == [(9, 12)]
    with pytest.raises(UnreadableNoteError):
        decode_note(note, 6)
    assert decode_note("", 6) == []


def test_a_thousand_gaps_fit():
    settled = ranges(range(1, 2_001, 2))
    assert decode_note(encode_note(0, settled), 0) == settled
