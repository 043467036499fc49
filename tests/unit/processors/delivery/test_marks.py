"""Tests of what is remembered of outputs, and for how long."""

import pytest

from processors.delivery.marks import MARK_BYTES, Recent, decode_row, encode_row, mark

ONE, TWO = mark("event-1", "calls", "v1"), mark("event-2", "calls", "v1")


def test_a_mark_tells_event_route_and_the_route_s_text_apart():
    marks = {mark(*words) for words in [("e", "a", "1"), ("e", "a", "2"), ("e", "b", "1"), ("f", "a", "1")]}
    assert len(marks) == 4
    assert {len(one) for one in marks} == {MARK_BYTES}
    assert mark("e", "a", "1") == mark("e", "a", "1")


def test_marks_are_remembered_for_the_window_and_at_most_a_tenth_longer():
    recent = Recent(600)
    recent.add([ONE], at=1_000_000)
    recent.forget(1_000_000 + 599)
    assert ONE in recent
    assert TWO not in recent
    recent.forget(1_000_000 + 661)
    assert ONE not in recent
    assert len(recent) == 0


def test_its_length_counts_marks_once():
    recent = Recent(600)
    recent.add([ONE, TWO], at=5)
    recent.add([ONE], at=6)
    assert len(recent) == 2


def test_a_row_is_read_as_it_was_written():
    assert decode_row(encode_row([ONE, TWO], 12.5)) == ([ONE, TWO], 12.5)


@pytest.mark.parametrize(
    "row", [None, [], {}, {"at": 1}, {"at": "x", "marks": ""}, {"at": 1, "marks": "a"}, {"at": 1, "marks": "AAAA"}]
)
def test_what_is_no_row_is_refused(row):
    with pytest.raises(ValueError, match=r"not a row of marks|could not convert"):
        decode_row(row)
