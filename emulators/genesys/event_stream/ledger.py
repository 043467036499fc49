"""This module remembers what readers were handed completely: the truth that a run is measured against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from emulators.genesys.event_stream.events import Kind

Mark = Literal["match", "filtered", "invalid", "emitted"]
MARKS: tuple[Mark, ...] = ("match", "filtered", "invalid", "emitted")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event on its way: JSON `data` without a newline, its id and what it is."""

    kind: Kind | Literal["emitted"]
    id: object
    data: bytes


class StreamLedger:
    """Ids by kind, each once, in the order of delivery; deliveries are counted with repetitions."""

    def __init__(self) -> None:
        self.deliveries = 0
        self.injected: Counter[str] = Counter()
        self._ids: dict[Mark, dict[str, object]] = {mark: {} for mark in MARKS}

    def delivered(self, entry: StreamEvent) -> None:
        self.deliveries += 1
        self._ids[entry.kind].setdefault(entry.id if isinstance(entry.id, str) else repr(entry.id), entry.id)

    def counts(self) -> dict[str, int]:
        return {mark: len(ids) for mark, ids in self._ids.items()}

    def ids(self, mark: Mark) -> list[object]:
        return list(self._ids[mark].values())

    def as_json(self) -> dict[str, object]:
        """`{match: [ids], filtered: [], invalid: [], emitted: [], injected: {fault: n}, deliveries: n}`."""
        lists: dict[str, object] = {mark: self.ids(mark) for mark in MARKS}
        return lists | {"injected": dict(self.injected), "deliveries": self.deliveries}
