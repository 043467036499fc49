"""This module tests which records are meant."""

from __future__ import annotations

import pytest

from processors.replay.selection import FailureSelection, OffsetBounds, Span, parse_offset


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        (Span(), [0, 10**15], []),
        (Span(since=10), [10, 11], [9]),
        (Span(until=10), [9], [10]),
        (Span(5, 6), [5], [4, 6]),
    ],
)
def test_a_span_holds_its_beginning_and_not_its_end(span, inside, outside):
    assert all(moment in span for moment in inside)
    assert not any(moment in span for moment in outside)


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="must be later"):
        Span(6, 6)


@pytest.mark.parametrize(("text", "expected"), [("1042", (None, 1042)), ("3:1042", (3, 1042)), ("0:0", (0, 0))])
def test_reads_offsets(text, expected):
    assert parse_offset(text) == expected


@pytest.mark.parametrize("text", ["", ":", "3:", ":3", "-1", "a", "1:2:3", "1.5", "9" * 30])
def test_refuses_what_is_no_offset(text):
    with pytest.raises(ValueError, match="is no offset"):
        parse_offset(text)


def test_an_offset_of_a_partition_wins_over_the_one_of_all():
    offsets = OffsetBounds(((None, 5), (3, 9)))
    assert (offsets.of(0), offsets.of(3), OffsetBounds().of(0)) == (5, 9, None)
    assert offsets.partitions == {3}


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (FailureSelection(), True),
        (FailureSelection(stages=("publish", "validate")), True),
        (FailureSelection(stages=("source",)), False),
        (FailureSelection(errors=("SchemaViolation",), routes=("interaction",)), True),
        (FailureSelection(errors=("SchemaViolation",), routes=("other",)), False),
        (FailureSelection(span=Span(since=101)), False),
        (FailureSelection(keys=("call-1",)), True),
        (FailureSelection(keys=("call-2",)), False),
        (FailureSelection(event_ids=("e-1", "e-2")), True),
        (FailureSelection(event_ids=("e-2",)), False),
        (FailureSelection(paths=("detail.priority",)), True),
        (FailureSelection(paths=("detail",)), True),
        (FailureSelection(paths=("detail.prio",)), False),
    ],
)
def test_failures_are_selected_by_all_that_is_named(selection, taken):
    details = [{"path": "detail.priority", "rule": "required"}, "odd", {"path": 5}]
    record = {"stage": "validate", "error": "SchemaViolation", "route": "interaction", "details": details}
    assert selection.takes(record, 100, key="call-1", event_id="e-1") is taken


def test_a_cluster_is_meant_by_all_its_violated_paths():
    record = {"details": [{"path": "b"}, {"path": "a"}]}
    assert FailureSelection(violations=("a, b",)).takes(record, 0)
    assert not FailureSelection(violations=("a",)).takes(record, 0)
