"""This module is a range of a topic: what is meant, what is left to read, and what was asked for and is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aiokafka import TopicPartition

from processors.replay.selection import OffsetBounds, Span


class RangeError(Exception):
    """A range cannot be read as asked for; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class RangeBounds:
    """What of a topic is meant. Offsets: `first` included, `end` not.

    No partitions means those that offsets are given for, or else all.
    """

    span: Span = field(default_factory=Span)
    partitions: tuple[int, ...] = ()
    first: OffsetBounds = field(default_factory=OffsetBounds)
    end: OffsetBounds = field(default_factory=OffsetBounds)


@dataclass(frozen=True, slots=True)
class MissingRange:
    """Offsets that were asked for by number and are not there: expired, or beyond the end; `end` not included."""

    topic: str
    partition: int
    first: int
    end: int
    expired: bool

    @property
    def count(self) -> int:
        return self.end - self.first

    def __str__(self) -> str:
        where = f"{self.topic} partition {self.partition}"
        if not self.count:
            return f"{where}: there is nothing from offset {self.first} on, it ends before"
        why = "Kafka has deleted them (retention)" if self.expired else "they are beyond the end of the topic"
        return f"{where}: offsets {self.first} to {self.end - 1} ({self.count}) are not there: {why}"


@dataclass(slots=True)
class Range:
    """The offsets of each partition that are still to be read: `next` moves, `end` does not.

    `missing`: what was asked for and is not in the range, because the topic does not have it.
    """

    topic: str
    next: dict[int, int]
    end: Mapping[int, int]
    missing: list[MissingRange] = field(default_factory=list)
    start: Mapping[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.start = MappingProxyType(dict(self.next))

    @property
    def size(self) -> int:
        """Offsets in the range; compacted topics hold fewer records."""
        return sum(self.end[partition] - first for partition, first in self.start.items())

    @property
    def left(self) -> int:
        """Offsets not read yet."""
        return sum(max(0, self.end[partition] - at) for partition, at in self.next.items())

    @property
    def open(self) -> list[int]:
        """The partitions not read to their end."""
        return [partition for partition, at in self.next.items() if at < self.end[partition]]


def missing_ranges(
    place: TopicPartition, begin: int, end: int, first: int | None, last: int | None
) -> Iterator[MissingRange]:
    """What of the offsets from `first` up to `last` (None: not given) a partition from `begin` to `end` has not."""
    if first is not None and first < begin and (last is None or last > first):
        yield MissingRange(
            place.topic, place.partition, first, begin if last is None else min(begin, last), expired=True
        )
    if last is not None and last > end:
        yield MissingRange(place.topic, place.partition, min(last, max(end, first or 0)), last, expired=False)
    elif first is not None and first > end and last is None:
        yield MissingRange(place.topic, place.partition, first, first, expired=False)
