"""This module tests what is read of a page's wish to see or to redrive failures."""

import pytest

from processors.replay.period import Period
from processors.replay.redrive_form import MAX_RECORDS, redrive_form, selection_in_words, selection_of
from processors.replay.selection import Span

NOW_MS = 1_800_000_000_000


def test_filters_are_what_the_record_calls_them():
    found = selection_of({"route": ["a", "b"], "cluster": ["detail.x"], "event": ["e"]}, Period(1, 2))
    assert (found.routes, found.violations, found.event_ids, found.span) == (
        ("a", "b"),
        ("detail.x",),
        ("e",),
        Span(1, 2),
    )
    assert (found.stages, found.errors, found.paths, found.keys, found.spots) == ((), (), (), (), frozenset())


def test_a_redrive_is_a_rehearsal_unless_it_is_said_to_be_none():
    assert redrive_form({"range": "1h"}, NOW_MS).dry_run
    assert not redrive_form({"range": "1h", "dryRun": False}, NOW_MS).dry_run


def test_all_that_may_be_asked_for():
    asked = redrive_form(
        {"from": "2h", "to": "1h", "error": "X", "stage": ["a", "b"], "rate": 2, "limit": 7, "again": True}, NOW_MS
    )
    assert asked.selection.span == Span(NOW_MS - 7_200_000, NOW_MS - 3_600_000)
    assert (asked.selection.errors, asked.selection.stages) == (("X",), ("a", "b"))
    assert (asked.rate, asked.limit, asked.again) == (2.0, 7, True)
    assert redrive_form({"records": [[0, 5], [0, 5], [1, 0]]}, NOW_MS).selection.spots == {(0, 5), (1, 0)}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"error": "X"},
        {"records": []},
        {"records": [[0]]},
        {"records": [[0, -1]]},
        {"records": [[0, True]]},
        {"records": [[0, "1"]]},
        {"records": {"0": 1}},
        {"records": [[0, 1]] * (MAX_RECORDS + 1)},
        {"range": 5},
        {"range": "soon"},
        {"range": "1h", "from": "2h"},
        {"range": "1h", "route": 5},
        {"range": "1h", "route": ["a", None]},
        {"range": "1h", "rate": 0},
        {"range": "1h", "rate": True},
        {"range": "1h", "rate": float("nan")},
        {"range": "1h", "limit": 0},
        {"range": "1h", "limit": 1.5},
        {"range": "1h", "dryRun": "no"},
        {"range": "1h", "again": None},
        {"range": "1h", "dryrun": False},
    ],
)
def test_what_is_no_request_is_refused_with_a_sentence(body):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        redrive_form(body, NOW_MS)


def test_what_was_meant_is_said_for_the_record():
    asked = redrive_form({"range": "1970-01-02/1970-01-03", "error": ["X", "Y"], "cluster": "detail.a, b"}, NOW_MS)
    assert selection_in_words(asked.selection) == (
        "error X, Y; violating detail.a, b; failed from 1970-01-02T00:00:00.000Z to 1970-01-03T00:00:00.000Z"
    )
    assert selection_in_words(redrive_form({"records": [[0, 1], [2, 3]]}, NOW_MS).selection) == "2 records"
