"""This module tests what counts as brought back already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processors.replay.redrive import Place
from processors.replay.redrive_notes import Note, Notes, left_out

PLACE = Place("validated", "e-1", "calls")
NOTE = Note(PLACE, "redrive-1", at_ms=1_000, failed_ms=500, until_ms=1_000)


@pytest.mark.parametrize("note", [NOTE, replace(NOTE, place=Place("raw", "e-1"))])
def test_a_note_reads_back_as_it_was_written(note):
    assert Note.decode(note.encode()) == note


@pytest.mark.parametrize(
    "value",
    [None, b"", b"[]", b"{}", NOTE.encode().replace(b"validated", b"failures"), NOTE.encode().replace(b"500", b"null")],
)
def test_what_is_no_note_is_passed(value):
    assert Note.decode(value) is None


def test_notes_of_one_event_are_told_apart_by_place_and_route():
    places = (PLACE, Place("raw", "e-1"), Place("validated", "e-1", "mails"), Place("validated", "e-2", "calls"))
    assert len({replace(NOTE, place=place).key for place in places}) == 4


@pytest.mark.parametrize(
    ("failed_ms", "written_ms", "known"),
    [(500, 501, True), (400, 401, True), (501, 900, False), (500, 1_001, False), (500, None, True), (501, None, False)],
    ids=["the failure", "an older one", "a later one", "mended later", "the queue's copy", "a later one of the queue"],
)
def test_a_later_failure_and_a_record_mended_by_hand_are_not_done_with(failed_ms, written_ms, known):
    notes = Notes()
    notes.add([NOTE])
    assert notes.knows(PLACE, failed_ms, written_ms) == (NOTE if known else None)


def test_the_newest_note_counts():
    notes = Notes()
    notes.add([NOTE, replace(NOTE, run="redrive-2", failed_ms=900)])
    known = notes.knows(PLACE, 900, 950)
    assert known is not None
    assert left_out(known) == "redriven by run redrive-2 at 1970-01-01T00:00:01.000Z"
    assert notes.knows(Place("raw", "e-1"), 500, 500) is None
