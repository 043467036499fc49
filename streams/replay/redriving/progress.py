"""This module holds what a redrive is to do, and how far it came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from processors.replay.clusters import FailureCluster
from processors.replay.selection import FailureSelection


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What to redrive. `run` names the run in the header `replayed`; `at_ms`: its begin; `rate`: events a second."""

    selection: FailureSelection
    run: str
    at_ms: int
    rate: float | None = None
    limit: int | None = None


@dataclass(slots=True)
class RedriveProgress:
    """How far a redrive came. `read`: records that were meant, each redriven or skipped for a reason.

    `failed_again`: events that failed once more; None where nobody waited for that.
    """

    read: int = 0
    redriven: int = 0
    known: int = 0
    repeated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    clusters: Counter[FailureCluster] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    failed_again: int | None = None
    stopped: str = ""
    limited: bool = False

    @property
    def skipped(self) -> int:
        return self.reasons.total()

    @property
    def counted(self) -> int:
        """Records that the limit is about: not those whose event went by an earlier run or another record."""
        return self.read - self.known - self.repeated
