"""This module says what failure records become: an event goes back once, by its newest record, and as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import Range
from processors.event import headers
from processors.replay.redrive import Place, Redrive, RedriveTargets, Unrecoverable, place_of, rebuilt, redrive_of
from processors.replay.redrive_notes import Note, Notes
from streams.replay.failure import Failure, from_record, is_meant
from streams.replay.redriving.originals import Originals
from streams.replay.redriving.progress import RedrivePlan

Given = TypeVar("Given")

#: How the records of one event are ordered: a whole one is above one that is not, then by time, partition, offset.
Rank = tuple[bool, int, int, int]

#: Reasons to skip a record, beside those of processors/replay/redrive.py.
NOT_A_RECORD = "it is not a failure record"
REPEATED = "another record of its event is redriven by this run"


class RedriveBuilder:
    """Of one redrive. `notes`: what earlier ones brought back; `targets`: where events may go."""

    def __init__(self, plan: RedrivePlan, targets: RedriveTargets, originals: Originals, notes: Notes) -> None:
        self._plan, self._targets, self._originals, self._notes = plan, targets, originals, notes
        self._taken: set[Place] = set()
        self._newest: dict[Place, Rank] = {}

    async def survey(self, reader: Reader, what: Range, stop: asyncio.Event) -> None:
        """See which record of each event is the newest one: that one goes back, for somebody may have corrected it."""
        whole = Range(what.topic, dict(what.next), what.end)
        async for chunk in reader.chunks(whole):
            for failure in map(from_record, chunk):
                if failure.record is not None and is_meant(self._plan.selection, failure):
                    self._keep_newest(failure)
            if stop.is_set():
                return

    def _keep_newest(self, failure: Failure) -> None:
        place, rank = self._rank(failure)
        if place is not None and rank > self._newest.get(place, rank[:0]):
            self._newest[place] = rank

    def limited(
        self, meant: Sequence[tuple[Given, Failure]], left: int | None
    ) -> tuple[Sequence[tuple[Given, Failure]], bool]:
        """The records until `left` of them are reached, and whether they were.

        Those do not count whose event went, or goes, without them.
        """
        here = set[Place]()
        for number, (_, failure) in enumerate(meant if left is not None else ()):
            place, rank = self._rank(failure)
            if place is not None and (place in here or self._is_done(failure, place, rank)):
                continue
            here |= {place} if place is not None else set()
            left = (left or 0) - 1
            if left == 0:
                return meant[: number + 1], True
        return meant, False

    async def build(self, failure: Failure) -> Redrive | Note | str:
        """What the failure becomes, or why nothing: a note of an earlier run, or a reason."""
        if failure.record is None:
            return NOT_A_RECORD
        run = self._plan.run
        place, rank = self._rank(failure)
        note = self._known(failure, place)
        if note is not None:
            return note
        if place is not None and self._is_older(place, rank):
            return REPEATED
        built = redrive_of(failure.record, failure.meta, failure.key, run, self._targets)
        if isinstance(built, Unrecoverable):
            found = await self._originals.find(built)
            if found is None or not found.value:
                return f"{built.reason}, and {self._targets.raw} does not hold it"
            # The route is the failure's: on `raw` it is one that an earlier redrive was for.
            meta = headers.read(dict(found.headers))._replace(route=failure.meta.route)
            built = rebuilt(failure.record, found.value, meta, found.key, run, self._targets)
        if built.place in self._taken:
            return REPEATED
        self._taken.add(built.place)
        return self._known(failure, built.place) or built

    def _is_done(self, failure: Failure, place: Place, rank: Rank) -> bool:
        return place in self._taken or self._known(failure, place) is not None or self._is_older(place, rank)

    def _is_older(self, place: Place, rank: Rank) -> bool:
        return rank < self._newest.get(place, rank)

    def _rank(self, failure: Failure) -> tuple[Place | None, Rank]:
        """Where the event goes back to, and how the record stands to others of it."""
        if failure.record is None:
            return None, (False, 0, 0, 0)
        place, whole = place_of(failure.record, failure.meta, self._targets)
        return place, (whole, failure.at_ms, *(failure.spot or (0, 0)))

    def _known(self, failure: Failure, place: Place | None) -> Note | None:
        written_ms = None if failure.spot is None else failure.at_ms
        return None if place is None else self._notes.knows(place, failure.failed_ms, written_ms)
