"""This module says which records of a topic or queue a replay or a redrive means."""

from __future__ import annotations

from dataclasses import dataclass, field

from processors.event.strict_json import JsonObject
from processors.replay.clusters import cluster_of, is_under, paths_of


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in epoch ms: from `since` on, up to but not including `until`; None is no bound."""

    since: int | None = None
    until: int | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("--until must be later than --since")

    def __contains__(self, epoch_ms: int) -> bool:
        after = self.since is None or epoch_ms >= self.since
        return after and (self.until is None or epoch_ms < self.until)


@dataclass(frozen=True, slots=True)
class OffsetBounds:
    """Offsets given for single partitions, or one (under None) for all those that have none of their own."""

    by_partition: tuple[tuple[int | None, int], ...] = ()

    def __post_init__(self) -> None:
        if len(dict(self.by_partition)) < len(self.by_partition):
            raise ValueError("a partition has one offset to begin at, and one to end before: give each once")

    def of(self, partition: int) -> int | None:
        """The offset given for a partition; None when there is none."""
        given = dict(self.by_partition)
        return given.get(partition, given.get(None))

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that have an offset of their own."""
        return frozenset(partition for partition, _ in self.by_partition if partition is not None)


def check_offsets(partitions: tuple[int, ...], first: OffsetBounds, end: OffsetBounds) -> None:
    """Refuse offsets that no record can be between, or of partitions that are not meant. Raises ValueError."""
    named = first.partitions | end.partitions
    if strange := sorted(named.difference(partitions)) if partitions else []:
        raise ValueError(f"an offset is given for partition {strange[0]}, and --partition leaves it out")
    for partition in (-1, *sorted(named)):
        lower, upper = first.of(partition), end.of(partition)
        if lower is not None and upper is not None and upper <= lower:
            raise ValueError(f"--to-offset {upper} must be later than --from-offset {lower}")


def parse_offset(text: str) -> tuple[int | None, int]:
    """Read `OFFSET` or `PARTITION:OFFSET`. Raises ValueError."""
    partition, colon, offset = text.rpartition(":")
    numbers = (partition, offset) if colon else (offset,)
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        raise ValueError(f"{text!r} is no offset: write 1042, or 3:1042 for partition 3")
    return (int(partition) if colon else None, int(offset))


@dataclass(frozen=True, slots=True)
class FailureSelection:
    """Which failure records are meant; an empty tuple means any. `errors` and `stages` as in the record.

    `keys`: interaction ids; `paths`: violated ones, with what is inside them; `violations`: all that are violated, as a
    cluster names them; `spots`: partition and offset in the topic.
    """

    stages: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    span: Span = field(default_factory=Span)
    keys: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    spots: frozenset[tuple[int, int]] = frozenset()

    def takes(self, record: JsonObject, at_ms: int, *, key: str = "", event_id: str | None = None) -> bool:
        """Whether a failure record of that moment, interaction and event is meant."""
        wanted = (("stage", self.stages), ("error", self.errors), ("route", self.routes))
        return (
            at_ms in self.span
            and all(not names or record.get(field) in names for field, names in wanted)
            and (not self.keys or key in self.keys)
            and (not self.event_ids or event_id in self.event_ids)
            and (not self.paths or any(is_under(path, one) for path in paths_of(record) for one in self.paths))
            and (not self.violations or cluster_of(record).path in self.violations)
        )
