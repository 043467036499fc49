"""This module says which failures were brought back before, and by which run, from the notes that each run leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

import orjson

from processors.event.formats import iso
from processors.event.strict_json import object_or_empty
from processors.replay.redrive import Place, TargetTopic


@dataclass(frozen=True, slots=True)
class Note:
    """One event that a run brought back, with the moments (epoch ms) that tell its later failures from that one.

    `failed_ms`: what the newest failure record says of itself; `until_ms`: when that record, at the latest, was
    written. A record of a later failure says a later moment; one corrected by hand was written later.
    """

    place: Place
    run: str
    at_ms: int
    failed_ms: int
    until_ms: int

    @property
    def key(self) -> bytes:
        """The key of the note, so that the topic keeps the newest of each event, place and route."""
        return orjson.dumps([self.place.topic, self.place.identity, self.place.route])

    def encode(self) -> bytes:
        """The note as JSON."""
        return orjson.dumps(
            {
                "eventId": self.place.identity,
                "into": self.place.topic,
                "route": self.place.route,
                "run": self.run,
                "at": self.at_ms,
                "failed": self.failed_ms,
                "until": self.until_ms,
            }
        )

    @classmethod
    def decode(cls, value: bytes | None) -> Note | None:
        """Read a note; None when it is none: anybody may write to the topic."""
        content = object_or_empty(value)
        identity, route, run = (content.get(name) for name in ("eventId", "route", "run"))
        into: Any = content.get("into")
        at_ms, failed_ms, until_ms = (content.get(name) for name in ("at", "failed", "until"))
        if into not in get_args(TargetTopic) or not isinstance(identity, str) or not isinstance(run, str):
            return None
        if not isinstance(at_ms, int) or not isinstance(failed_ms, int) or not isinstance(until_ms, int):
            return None
        return cls(Place(into, identity, route if isinstance(route, str) else None), run, at_ms, failed_ms, until_ms)


@dataclass(slots=True)
class Notes:
    """The newest note of each place."""

    by_place: dict[Place, Note] = field(default_factory=dict)

    def add(self, notes: Iterable[Note]) -> None:
        """Take notes in, in the order in which they were made."""
        for note in notes:
            self.by_place[note.place] = note

    def knows(self, place: Place, failed_ms: int, written_ms: int | None) -> Note | None:
        """The note that says that this failure is done with; None when it is not.

        `written_ms`: when the record was written, None where that tells nothing (the queue's copy may come late).
        """
        note = self.by_place.get(place)
        if note is None or failed_ms > note.failed_ms:
            return None
        return note if written_ms is None or written_ms <= note.until_ms else None


def left_out(note: Note) -> str:
    """Why a failure is left out."""
    return f"redriven by run {note.run} at {iso(note.at_ms)}"
