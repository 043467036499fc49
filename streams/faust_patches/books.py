"""This module keeps the books of partitions: what was fetched, given out, acked, and may be committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from faust.types import TP

from processors.delivery.offsets import PartitionOffsets


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
