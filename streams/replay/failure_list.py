"""This module reads the failures topic for people: what is in it, and what of it was brought back."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import MissingRange, Range
from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.clusters import FailureCluster, cluster_of
from processors.replay.redrive import RedriveTargets, place_of
from processors.replay.redrive_notes import Note, Notes
from processors.replay.selection import FailureSelection
from streams.replay.failure import Failure, from_record, is_meant


@dataclass(frozen=True, slots=True)
class ListedFailure:
    """One record, and the note of the run that brought it back, if one did."""

    failure: Failure
    note: Note | None

    def as_json(self) -> JsonObject:
        """The record with where it stands, and what became of it."""
        failure, note = self.failure, self.note
        partition, offset = failure.spot or (None, None)
        return {
            "partition": partition,
            "offset": offset,
            "writtenAt": iso(failure.at_ms),
            "key": None if failure.key is None else failure.key.decode("utf-8", "replace"),
            "redriven": None if note is None else {"run": note.run, "at": iso(note.at_ms)},
            "record": failure.record,
        }


@dataclass(slots=True)
class FailureList:
    """What a range of the topic holds: all of it in counts, and the newest `keep` records (None: all)."""

    keep: int | None
    read: int = 0
    redriven: int = 0
    clusters: Counter[FailureCluster] = field(default_factory=Counter)
    missing: Sequence[MissingRange] = ()
    _newest: list[tuple[int, tuple[int, int], ListedFailure]] = field(default_factory=list)

    def add(self, listed: ListedFailure) -> None:
        """Take one record in."""
        self.read += 1
        self.redriven += listed.note is not None
        self.clusters[cluster_of(listed.failure.record or {})] += 1
        ranked = (listed.failure.at_ms, listed.failure.spot or (0, 0), listed)
        if self.keep is None or len(self._newest) < self.keep:
            heapq.heappush(self._newest, ranked)
        elif self.keep:
            heapq.heappushpop(self._newest, ranked)

    @property
    def newest(self) -> list[ListedFailure]:
        """The records kept, the newest first."""
        return [listed for _, _, listed in sorted(self._newest, key=lambda one: one[:2], reverse=True)]


async def list_failures(
    reader: Reader, what: Range, selection: FailureSelection, notes: Notes, named: RedriveTargets, keep: int | None
) -> FailureList:
    """Go through a range of the failures topic. Raises RangeError."""
    found = FailureList(keep)
    async for chunk in reader.chunks(what):
        for failure in map(from_record, chunk):
            if is_meant(selection, failure):
                found.add(listed(failure, notes, named))
    found.missing = what.missing
    return found


def listed(failure: Failure, notes: Notes, named: RedriveTargets) -> ListedFailure:
    """A record with the note of the run that brought it back."""
    place, _ = place_of(failure.record, failure.meta, named) if failure.record is not None else (None, False)
    return ListedFailure(failure, None if place is None else notes.knows(place, failure.failed_ms, failure.at_ms))
