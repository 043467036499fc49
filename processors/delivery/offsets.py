"""This module keeps the books of one partition: which offset is due next, and up to where all have ended.

The rule that everything rests on: an offset is committed only when each one from the last commit up to it was
acked, or is known not to exist. Kafka's logs have holes (transaction markers, compaction, deleted records), so a
jump in what arrives may be one; but it may as well be records that were fetched and then dropped in a rebalance.
A jump inside one fetch is a hole, as a fetch leaves nothing out. A jump between two fetches is looked into by
reading again from what is due: when that too begins behind it, there is a hole. What lies before the log's beginning
is none of these: Kafka deleted it unread, and it ends when that has been told.

What an earlier reader has settled above the committed offset is passed like a hole: it is not delivered again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from processors.delivery.offset_ranges import OffsetRange, OffsetRanges, runs
from processors.delivery.settled_offsets import ranges


class OffsetVerdict(Enum):
    """What to do with a record that was fetched."""

    DELIVER = auto()
    OLD = auto()
    """It was delivered before."""
    REREAD = auto()
    """Something may be missing before it: seek to what is due."""


@dataclass(slots=True)
class PartitionOffsets:
    """The books of a partition that is read from `due` on. Offsets are those of records, `due` the next one's.

    `settled`: ranges that were settled before, in order. `reached`: where a fetch may be at least; what was settled
    before is due no more, but was not fetched.
    """

    due: int
    settled: list[OffsetRange] = field(default_factory=list)
    _ended: OffsetRanges = field(default_factory=OffsetRanges)  # acked, or known not to exist
    _reread: int | None = None
    reached: int = field(init=False)

    def __post_init__(self) -> None:
        self.reached = self.due
        self._pass_settled()

    def judge(self, offset: int, before: int | None) -> OffsetVerdict:
        """Say what to do with a record; `before` is the offset of the one before it in the same fetch, if any."""
        if offset < self.due:
            return OffsetVerdict.OLD
        if offset > self.due:
            if not self._is_hole(before):
                return OffsetVerdict.REREAD
            self._pass(offset)
        return OffsetVerdict.DELIVER if offset == self.due else OffsetVerdict.OLD

    def take(self, offsets: Sequence[int]) -> Sequence[int]:
        """Judge all that one fetch has; gives the places of what is due, which counts as delivered."""
        whole = offsets[-1] + 1
        if offsets[0] == self.due and whole - self.due == len(offsets) and not self.settled:
            self.due = self.reached = whole
            self._reread = None
            return range(len(offsets))
        places, before = [], None
        for place, offset in enumerate(offsets):
            if self.judge(offset, before) is OffsetVerdict.DELIVER:
                self.delivered()
                places.append(place)
            before = offset
        return places

    def ack(self, offsets: Iterable[int]) -> None:
        """Note records that have ended, in whatever order."""
        for start, end in runs(offsets):
            self._ended.add(start, end)

    def is_behind(self, position: int) -> bool:
        """Whether records before the fetch's position are due, after all that was fetched has been handed out.

        What is so still after having been read again is a hole at the log's end, and passed.
        """
        if position <= self.due:
            return False
        if self._reread != self.due:
            return True
        self._pass(position)
        return False

    def expired(self, begin: int) -> list[OffsetRange]:
        """Pass what the log does not hold any more, as it begins behind what is due; gives what nobody has settled.

        A range of these has not ended before `closed` says so.
        """
        found = []
        while self.due < begin:
            end = min(begin, self.settled[0][0]) if self.settled else begin
            found.append((self.due, end))
            self.due = self.reached = end
            self._pass_settled()
        self._reread = None
        return found

    def closed(self, expired: OffsetRange) -> None:
        """Note that what expired has been told, and may be committed."""
        self._ended.add(*expired)

    def delivered(self) -> None:
        """Note that the record which was due is with its stream."""
        self.due += 1
        self.reached = self.due
        self._reread = None
        self._pass_settled()

    def left_out(self) -> None:
        """Note that a record of this fetch was not judged: what is missing now proves no hole."""
        self._reread = None

    def reread(self) -> None:
        """Note that what is fetched from now on begins with what is due."""
        self._reread = self.due

    def ended(self, committed: int, acked: Collection[int]) -> int:
        """The lowest offset that has not ended, all below `committed` having done so; `acked`: what Faust calls so."""
        position = committed
        while True:
            behind = self._ended.behind(position)
            if behind == position:
                if position not in acked:
                    return position
                behind += 1
            position = behind

    def settled_above(self, committed: int, acked: Collection[int]) -> list[OffsetRange]:
        """What has ended above `committed`, which has not: ranges in order."""
        if not (acked or self._ended or self.settled):
            return []
        ended = (one for one in self._ended if one[0] > committed)
        return ranges((offset for offset in acked if offset > committed), [*ended, *self.settled])

    def forget_below(self, committed: int) -> None:
        """Drop what ended below an offset that was committed."""
        self._ended.drop_below(committed)

    def _pass(self, position: int) -> None:
        """Note that nothing is to be delivered between what is due and a position."""
        self._ended.add(self.due, position)
        self.due = self.reached = position
        self._pass_settled()

    def _pass_settled(self) -> None:
        while self.settled and self.settled[0][0] <= self.due:
            _, end = self.settled.pop(0)
            if end > self.due:
                self._ended.add(self.due, end)
                self.due = end

    def _is_hole(self, before: int | None) -> bool:
        return self._reread == self.due if before is None else before < self.due


def below(offsets: Iterable[int], bound: int) -> list[int]:
    """The offsets below a bound."""
    return [offset for offset in offsets if offset < bound]
