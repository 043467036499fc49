"""This module keeps the books of partitions: what was fetched, given out, acked, and may be committed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakValueDictionary

from faust.types import TP

from processors.delivery.offsets import PartitionOffsets
from streams.faust_patches.fetched_record import FetchedRecord


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class ExpiredRange:
    """Offsets from `first` up to `end` that Kafka deleted before they were processed; held like an event until acked.

    `before_ms`: when the first record that is left was written (epoch ms); None where there is none, or nobody says.
    """

    topic: str
    partition: int
    first: int
    end: int
    before_ms: int | None
    offsets: PartitionOffsets = field(repr=False)

    @property
    def count(self) -> int:
        """How many there were at most: offsets may have held no record."""
        return self.end - self.first

    def ack(self) -> None:
        """It has been counted: a commit may pass it."""
        self.offsets.closed((self.first, self.end))


@dataclass(slots=True, eq=False)
class PartitionBooks:
    """A partition's offsets, the messages of it that a stream was given, by offset, and when a commit was last due.

    `committed`: the offset that Faust takes for committed, `known` the one that Kafka has for certain (-1: none).
    `note` is what the next commit says of settled offsets above its own, `noted` what the last one said.
    """

    offsets: PartitionOffsets
    held: WeakValueDictionary[int, Any] = field(default_factory=WeakValueDictionary)
    committed: int = -1
    known: int = -1
    committed_at: float = field(default_factory=time.monotonic)
    note: str = ""
    noted: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Records of a partition that came with one fetch and were due, in order, and the books that they are in."""

    tp: TP
    generation: int
    books: PartitionBooks
    records: Sequence[FetchedRecord]

    def covers(self, tp: TP, offset: int) -> bool:
        """Whether an offset is among them, or between two of them."""
        return self.tp == tp and self.records[0].offset <= offset <= self.records[-1].offset


class Lane(Protocol):
    """What takes the records of a topic as they were fetched, without a stream (streams/delivery/stage.py)."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more; what comes nevertheless is taken."""

    @property
    def is_busy(self) -> bool:
        """Whether events are being worked on, or have ended and are not acked yet."""

    def put(self, part: Part) -> None:
        """Take records."""

    def clear(self) -> None:
        """Leave what nobody has begun with to whoever gets it next."""

    def holds(self, tp: TP, offset: int) -> bool:
        """Whether an offset that was given and not acked is still somebody's to end."""


def books_of(consumer: Any) -> dict[TP, PartitionBooks]:
    """Partition → its books, of those that were sought and not revoked since."""
    found: dict[TP, PartitionBooks] = consumer.__dict__.setdefault("books", {})
    return found


def revoked_books(consumer: Any) -> dict[TP, PartitionBooks]:
    """Partition → the books it had, of those that were revoked and have not been assigned anew since."""
    found: dict[TP, PartitionBooks] = consumer.__dict__.setdefault("revoked", {})
    return found


def lanes_of(consumer: Any) -> Mapping[str, Lane]:
    """Topic → its lane, of those that have one."""
    found: Mapping[str, Lane] = consumer.app.lanes
    return found
