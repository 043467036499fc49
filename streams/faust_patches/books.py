"""This module keeps the books of partitions: what was fetched, given out, acked, and may be committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from faust.types import TP

from processors.delivery.offsets import PartitionOffsets


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class ExpiredRange:
    """Offsets from `first` up to `end` that Kafka deleted before they were worked off; held like an event until acked.

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


@dataclass(slots=True)
class PartitionBooks:
    """A partition's offsets, the messages of it that somebody holds, by offset, and when a commit was last due.

    `note` is what the next commit says of settled offsets above its own, `noted` what the last one said.
    """

    offsets: PartitionOffsets
    held: WeakValueDictionary[int, Any] = field(default_factory=WeakValueDictionary)
    committed: int = -1
    committed_at: float = field(default_factory=time.monotonic)
    note: str = ""
    noted: str = ""


def books_of(consumer: Any) -> dict[TP, PartitionBooks]:
    """Partition → its books, of those that were sought and not revoked since."""
    found: dict[TP, PartitionBooks] = consumer.__dict__.setdefault("books", {})
    return found
