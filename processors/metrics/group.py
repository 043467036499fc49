"""This module is what workers tell of themselves every few seconds, and what the group's state is by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from processors.event.formats import MAX_EPOCH_MS
from processors.metrics.history import short_iso

#: Milliseconds after which a worker that has said nothing is gone, and after which it is not shown any more.
GONE_MS, FORGOTTEN_MS = 20_000, 3_600_000

#: Workers that are kept, and most that one may tell of itself: anybody may write to the topic.
MAX_WORKERS, MAX_TEXT, MAX_ITEMS = 200, 500, 2_000

#: What a worker tells.
NAMES = {"name", "version", "roles", "partitions", "troubles", "paused", "pausedStages", "sinceMs", "ended"}


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What a worker said last, at `said_ms` (epoch ms)."""

    row: Mapping[str, Any]
    said_ms: int

    @property
    def name(self) -> str:
        return str(self.row["name"])

    def is_gone(self, now_ms: int) -> bool:
        """Whether it should have said something since."""
        return now_ms - self.said_ms > GONE_MS

    def as_json(self, now_ms: int) -> dict[str, Any]:
        """The row that is shown."""
        state = "gone" if self.is_gone(now_ms) else "running"
        shown = {name: value for name, value in self.row.items() if name not in ("sinceMs", "ended")}
        since, seconds_ago = short_iso(self.row["sinceMs"]), round(max(0, now_ms - self.said_ms) / 1000, 1)
        return {**shown, "since": since, "state": state, "secondsAgo": seconds_ago}


def wrong_row(row: Any) -> str:
    """Why a row is not a worker's; empty when it is."""
    if not isinstance(row, dict) or not _is_text(row.get("name")) or not _is_text(row.get("version")):
        return "not a worker: it has no name or version"
    roles, partitions, troubles = row.get("roles"), row.get("partitions"), row.get("troubles")
    if not isinstance(roles, list) or not all(map(_is_text, roles)) or len(roles) > MAX_ITEMS:
        return "not a worker: its roles are no names"
    if not isinstance(partitions, dict) or not all(_are_numbers(numbers) for numbers in partitions.values()):
        return "not a worker: its partitions are no numbers"
    if not isinstance(troubles, dict) or not all(map(_is_trouble, troubles.values())):
        return "not a worker: its troubles have no reasons"
    if max(len(partitions), len(troubles)) > MAX_ITEMS or not all(map(_is_text, (*partitions, *troubles))):
        return "not a worker: it names more than any worker has"
    if set(row) != NAMES or not all(type(row[name]) is bool for name in ("paused", "ended")):
        return "not a worker's row"
    stages, since = row["pausedStages"], row["sinceMs"]
    fits = isinstance(stages, list) and len(stages) <= MAX_ITEMS and all(map(_is_text, stages))
    return (
        "" if fits and type(since) is int and 0 <= since < MAX_EPOCH_MS else "not a worker's row: its pauses or its age"
    )


def with_worker(rows: Iterable[WorkerRow], new: WorkerRow) -> list[WorkerRow]:
    """The rows with a new one: instead of the same worker's, and without those of long ago and of who has ended."""
    kept = [one for one in rows if one.name != new.name and new.said_ms - one.said_ms < FORGOTTEN_MS]
    return sorted([*kept, *([] if new.row["ended"] else [new])], key=lambda one: -one.said_ms)[:MAX_WORKERS]


def reasons(rows: Iterable[WorkerRow], needed: Mapping[str, Collection[int]], now_ms: int) -> list[str]:
    """Why the pipeline does not work as a whole; nothing when it does. `needed`: partitions that somebody must own."""
    found, running = [], []
    for one in rows:
        if one.is_gone(now_ms):
            found.append(f"{one.name} has said nothing for {(now_ms - one.said_ms) / 1000:.0f} s")
            continue
        running.append(one)
        found += [f"{one.name}: {part}: {trouble['reason']}" for part, trouble in one.row["troubles"].items()]
    for topic, partitions in needed.items():
        owned = {number for one in running for number in one.row["partitions"].get(topic, ())}
        if missing := sorted(set(partitions) - owned):
            found.append(f"no worker reads {topic} {', '.join(map(str, missing[:20]))}")
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(type(one) is int for one in value)


def _is_trouble(value: Any) -> bool:
    seconds = value.get("seconds") if isinstance(value, dict) else None
    known = isinstance(value, dict) and _is_text(value.get("reason")) and set(value) <= {"reason", "seconds"}
    return known and (seconds is None or type(seconds) in (int, float))
