"""This module keeps how far a replay has come in a small file, so that one that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from clients.kafka.ranges import MissingRange, RangeBounds
from processors.replay.selection import OffsetBounds, Span
from settings import Settings
from streams.replay.replay import ReplayPlan, ReplayProgress


@dataclass(frozen=True, slots=True)
class ReplayCheckpoint:
    """What of a replay is confirmed. `typed`: its options, `next` and `end`: of each partition."""

    cluster: str
    source: str
    into: str
    typed: tuple[str, ...]
    run: str
    since: int | None
    until: int | None
    next: dict[int, int]
    end: dict[int, int]
    read: int
    written: int
    skipped: int
    missing: tuple[MissingRange, ...]

    @classmethod
    def of(
        cls, settings: Settings, typed: Sequence[str], plan: ReplayPlan, progress: ReplayProgress
    ) -> ReplayCheckpoint:
        """Where a replay stands."""
        what, span = progress.what, plan.bounds.span
        return cls(
            cluster=settings.kafka_bootstrap_servers,
            source=what.topic,
            into=plan.into or "",
            typed=tuple(typed),
            run=plan.run,
            since=span.since,
            until=span.until,
            next=dict(what.next),
            end=dict(what.end),
            read=progress.read,
            written=progress.written,
            skipped=progress.skipped,
            missing=tuple(what.missing),
        )

    @classmethod
    def decode(cls, content: bytes) -> ReplayCheckpoint:
        """Read a file. Raises ValueError, TypeError or KeyError when it is none of ours."""
        saved: dict[str, Any] = orjson.loads(content)
        offsets = {name: {int(partition): at for partition, at in saved[name].items()} for name in ("next", "end")}
        missing = tuple(MissingRange(**one) for one in saved["missing"])
        return cls(**{**saved, **offsets, "typed": tuple(saved["typed"]), "missing": missing})

    @property
    def bounds(self) -> RangeBounds:
        """What is left of the range."""
        first, end = (OffsetBounds(tuple(offsets.items())) for offsets in (self.next, self.end))
        return RangeBounds(Span(self.since, self.until), tuple(self.next), first, end)


class Checkpoints:
    """The files of one consumer group's pipeline, one for each replay that has begun and not ended."""

    def __init__(self, settings: Settings) -> None:
        self._cluster = settings.kafka_bootstrap_servers
        self.folder = settings.data_dir.expanduser() / settings.group / "replays"

    def find(self, source: str, into: str, typed: Sequence[str]) -> ReplayCheckpoint | None:
        """The unfinished replay with these very options."""
        return next(
            (one for one in self.all() if (one.source, one.into, one.typed) == (source, into, tuple(typed))), None
        )

    def all(self) -> Iterator[ReplayCheckpoint]:
        """Every unfinished replay on this cluster; files that cannot be read are none."""
        return (one for _, one in self._files() if one is not None and one.cluster == self._cluster)

    def damaged(self) -> list[Path]:
        """The files that cannot be read: nobody knows what they were about."""
        return [path for path, one in self._files() if one is None]

    def _files(self) -> Iterator[tuple[Path, ReplayCheckpoint | None]]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield path, ReplayCheckpoint.decode(path.read_bytes())
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                yield path, None

    def save(self, one: ReplayCheckpoint) -> None:
        """Write it whole, in the place of the one before. Raises OSError."""
        path = self._path(one)
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_suffix(f".{os.getpid()}")
        written.write_bytes(orjson.dumps(asdict(one), option=orjson.OPT_NON_STR_KEYS))
        written.replace(path)

    def remove(self, one: ReplayCheckpoint) -> None:
        """The replay is done with."""
        self._path(one).unlink(missing_ok=True)

    def supersede(self, progress: ReplayProgress, into: str) -> None:
        """Forget the replay that a new one goes on with by its offsets, as the command that a stop prints does."""
        what = progress.what
        begun = {partition: (what.next[partition], what.end[partition]) for partition in what.open}
        for one in list(self.all()):
            left = {
                partition: (at, one.end[partition]) for partition, at in one.next.items() if at < one.end[partition]
            }
            if begun and (one.source, one.into, left) == (what.topic, into, begun):
                self.remove(one)

    def _path(self, one: ReplayCheckpoint) -> Path:
        named = orjson.dumps([one.cluster, one.source, one.into, one.typed])
        return self.folder / f"{hashlib.sha256(named).hexdigest()[:16]}.json"
