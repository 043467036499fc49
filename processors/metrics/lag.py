"""This module says how far the group is behind, from what Kafka told at two looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

#: Longest time that is told.
MAX_SPAN_MS = 10**14


@dataclass(frozen=True, slots=True)
class PartitionPosition:
    """Where the group is on a partition. `oldest_ms`: when its oldest unread record was written, if that is known.

    `kept_ms`: after how long Kafka deletes a record; None when it never does, or does not say.
    """

    topic: str
    partition: int
    committed: int
    end: int
    oldest_ms: int | None = None
    kept_ms: int | None = None

    @property
    def lag(self) -> int:
        """Records that have no end yet."""
        return max(0, self.end - self.committed)


@dataclass(frozen=True, slots=True)
class PartitionLag(PartitionPosition):
    """How far the group is behind on one partition.

    `moved_ms`: when what is committed was last seen to move (epoch ms), None before that was seen.
    """

    moved_ms: int | None = None

    def expires_ms(self, now_ms: int) -> int | None:
        """Milliseconds until Kafka may delete the oldest event that has no end; None where that is not known."""
        if not self.lag or self.oldest_ms is None or self.kept_ms is None:
            return None
        return max(0, self.oldest_ms + self.kept_ms - now_ms)

    def is_expiring(self, now_ms: int) -> bool:
        """Whether the oldest event without an end has less than half of its time left."""
        left = self.expires_ms(now_ms)
        return left is not None and self.kept_ms is not None and left < self.kept_ms / 2

    def as_json(self, now_ms: int) -> dict[str, Any]:
        """The row that is shown; a number that is not known is null."""
        oldest, left = self.oldest_ms if self.lag else now_ms, self.expires_ms(now_ms)
        return {
            "topic": self.topic,
            "partition": self.partition,
            "end": self.end,
            "committed": self.committed,
            "lag": self.lag,
            "lagSeconds": None if oldest is None else max(0.0, round((now_ms - oldest) / 1000, 1)),
            "secondsSinceCommit": None if self.moved_ms is None else round((now_ms - self.moved_ms) / 1000, 1),
            "retentionSeconds": None if self.kept_ms is None else self.kept_ms / 1000,
            "expiresSeconds": None if left is None else round(left / 1000, 1),
        }


def partition_lags(
    measured: Iterable[PartitionPosition], before: Sequence[PartitionLag], now_ms: int
) -> list[PartitionLag]:
    """What was told now, and since when each partition stands where it does."""
    known = {(one.topic, one.partition): one for one in before}
    found = []
    for one in measured:
        last = known.get((one.topic, one.partition))
        moved = now_ms if last is not None and last.committed != one.committed else last.moved_ms if last else None
        stands = one.committed, one.end, one.oldest_ms, one.kept_ms
        found.append(PartitionLag(one.topic, one.partition, *stands, moved))
    return found


def expiring(lags: Iterable[PartitionLag], now_ms: int) -> tuple[str, str] | None:
    """What Kafka will delete before it is processed, and what to do; None when nothing."""
    near = sorted((one for one in lags if one.is_expiring(now_ms)), key=lambda one: one.expires_ms(now_ms) or 0)
    if not near:
        return None
    first = near[0]
    left, kept = _span(first.expires_ms(now_ms) or 0), _span(first.kept_ms or 0)
    more = f", and of {len(near) - 1} more partitions," if len(near) > 1 else ""
    return (
        f"Kafka deletes the oldest event of {first.topic} {first.partition}{more} in {left} (retention.ms: {kept}), "
        "and it has not been processed",
        "get the workers going, or raise retention.ms",
    )


def _span(milliseconds: int) -> timedelta:
    """In whole seconds; somebody else's numbers may be of any size."""
    return timedelta(seconds=min(milliseconds, MAX_SPAN_MS) // 1000)


def total(lags: Iterable[PartitionLag], topic: str) -> int:
    """Records of a topic that have no end yet."""
    return sum(one.lag for one in lags if one.topic == topic)
