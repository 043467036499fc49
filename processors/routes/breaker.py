"""This module decides when so many events fail that the routes are to blame, not the events."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from processors.event.errors import StageName
from processors.routes.outcome import Failed
from processors.routes.routes import Routed

#: Stages whose failures say something about a route. Bytes that are no event ("source") do not.
BLAMED: tuple[StageName, ...] = ("filter", "transform", "validate")

#: Seconds that an operator's word lasts, when the share does not fall below the limit before.
QUIET_S = 600.0


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """More than `share` of at least `least` events within `window_s` seconds is a flood."""

    share: float
    least: int
    window_s: float


@dataclass(frozen=True, slots=True)
class FailureTally:
    """What became of a batch: events that some route took, those that failed, and with what, where."""

    taken: int
    failed: int
    causes: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Flood:
    """A flood: so many of so many events, and the commonest `stage/error` with its route."""

    taken: int
    failed: int
    error: str
    route: str


def tally(answers: Iterable[Routed]) -> FailureTally:
    """Count a batch. An event that no route takes, or that is none, says nothing of a route: left out."""
    taken, failed = 0, 0
    causes: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        failures = [one for one in answer.outcomes if isinstance(one, Failed)]
        blamed = [one for one in failures if one.stage in BLAMED]
        taken += bool(blamed) or len(answer.outcomes) > len(failures)
        failed += bool(blamed)
        causes.update((f"{one.stage}/{one.error}", one.route or "") for one in blamed)
    return FailureTally(taken, failed, causes)


class Window:
    """Counts of the last `window_s` seconds. Times are seconds of any clock that does not go back."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._entries: deque[tuple[float, FailureTally]] = deque()
        self._taken = self._failed = 0
        self._quiet_until: float | None = None

    def add(self, now: float, batch: FailureTally) -> Flood | None:
        """Count a batch; gives the flood when there is one and no operator has said to go on."""
        if batch.taken:  # who counts nothing says nothing
            self._entries.append((now, batch))
            self._taken += batch.taken
            self._failed += batch.failed
        while self._entries and self._entries[0][0] <= now - self._limits.window_s:
            _, gone = self._entries.popleft()
            self._taken -= gone.taken
            self._failed -= gone.failed
        if self._taken < self._limits.least:
            return None
        if self._failed <= self._limits.share * self._taken:
            self._quiet_until = None
            return None
        if self._quiet_until is not None and now < self._quiet_until:
            return None
        return self._flood()

    def resume(self, now: float) -> None:
        """Begin anew, and stay quiet until the share has once fallen below the limit, or for ten minutes."""
        self._entries.clear()
        self._taken = self._failed = 0
        self._quiet_until = now + QUIET_S

    def _flood(self) -> Flood:
        causes: Counter[tuple[str, str]] = Counter()
        for _, entry in self._entries:
            causes.update(entry.causes)
        # The commonest; by name where several are equally common.
        error, route = min(causes, key=lambda cause: (-causes[cause], cause))
        return Flood(self._taken, self._failed, error, route)
