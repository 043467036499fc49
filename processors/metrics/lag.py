"""This module says how far the group is behind, from what Kafka told at two looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Told(Protocol):
    """A partition as Kafka told it (clients/kafka/lag.py)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def committed(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def oldest_ms(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far the group is behind on one partition.

    `moved_ms`: when what is committed was last seen to move (epoch ms), None before that was seen.
    """

    topic: str
    partition: int
    committed: int
    end: int
    oldest_ms: int | None
    moved_ms: int | None

    @property
    def lag(self) -> int:
        """Records that have no end yet."""
        return max(0, self.end - self.committed)

    def as_json(self, now_ms: int) -> dict[str, Any]:
        """The row that is shown; a number that is not known is null."""
        oldest = self.oldest_ms if self.lag else now_ms
        return {
            "topic": self.topic,
            "partition": self.partition,
            "end": self.end,
            "committed": self.committed,
            "lag": self.lag,
            "lagSeconds": None if oldest is None else max(0.0, round((now_ms - oldest) / 1000, 1)),
            "secondsSinceCommit": None if self.moved_ms is None else round((now_ms - self.moved_ms) / 1000, 1),
        }


def compared(told: Iterable[Told], before: Sequence[PartitionLag], now_ms: int) -> list[PartitionLag]:
    """What was told now, and since when each partition stands where it does."""
    known = {(one.topic, one.partition): one for one in before}
    found = []
    for one in told:
        last = known.get((one.topic, one.partition))
        moved = now_ms if last is not None and last.committed != one.committed else last.moved_ms if last else None
        found.append(PartitionLag(one.topic, one.partition, one.committed, one.end, one.oldest_ms, moved))
    return found


def total(lags: Iterable[PartitionLag], topic: str) -> int:
    """Records of a topic that have no end yet."""
    return sum(one.lag for one in lags if one.topic == topic)
