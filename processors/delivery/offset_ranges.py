"""This module holds offsets as ranges: one comparison for a whole fetch, and as many numbers as there are gaps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

#: First offset of a range, and the one behind its last.
OffsetRange = tuple[int, int]


@dataclass(slots=True)
class OffsetRanges:
    """Ranges in order, of which no two touch."""

    _starts: list[int] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[OffsetRange]:
        return zip(self._starts, self._ends, strict=True)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def add(self, start: int, end: int) -> None:
        """Add the offsets from `start` up to, and without, `end`."""
        if end <= start:
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:  # those that it touches
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def behind(self, offset: int) -> int:
        """The offset behind the range that holds this one; the offset itself where none does."""
        at = bisect_right(self._starts, offset) - 1
        return max(offset, self._ends[at]) if at >= 0 else offset

    def drop_below(self, offset: int) -> None:
        """Forget the ranges that end there or before."""
        number = bisect_right(self._ends, offset)
        del self._starts[:number]
        del self._ends[:number]


def runs(offsets: Iterable[int]) -> Iterator[OffsetRange]:
    """Single offsets, in whatever order, as ranges."""
    start = end = -1
    for offset in sorted(offsets):
        if offset > end:
            if end > start:
                yield start, end
            start = offset
        end = offset + 1
    if end > start:
        yield start, end
