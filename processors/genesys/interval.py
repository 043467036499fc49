"""This module is an interval of time in epoch ms, how intervals are merged, and a time of Genesys as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processors.event.formats import instant


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A span of time in epoch ms, its end excluded."""

    start_ms: int
    end_ms: int

    def __contains__(self, moment_ms: int) -> bool:
        return self.start_ms <= moment_ms < self.end_ms

    def windows(self, length_ms: int) -> Iterator[Interval]:
        """The interval in pieces of at most `length_ms`."""
        for start in range(self.start_ms, self.end_ms, length_ms):
            yield Interval(start, min(start + length_ms, self.end_ms))


def merged(intervals: Iterable[Interval], within_ms: int) -> list[Interval]:
    """Intervals in order, those less than `within_ms` apart made one."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.start_ms - result[-1].end_ms <= within_ms:
            last = result.pop()
            interval = Interval(last.start_ms, max(last.end_ms, interval.end_ms))
        result.append(interval)
    return result


def epoch_ms_of(value: object) -> int | None:
    """Epoch ms of a time as Genesys tells it, a text or a number; None when it is none."""
    moment = instant(value)
    return round(moment.timestamp() * 1000) if moment is not None else None
