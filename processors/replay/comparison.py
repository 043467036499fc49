"""This module counts what came of events on routes, and tells what other routes would change."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from processors.event.headers import Origin
from processors.event.strict_json import JsonObject, same_json
from processors.replay.attempts import FILTERED, Outcomes
from processors.replay.clusters import FailureCluster, cluster_of
from processors.routes.differences import MISSING, Difference, differences
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome

ChangeKind = Literal[
    "mapped differently", "now mapped", "now passing", "now filtered", "now failed", "fails differently"
]

#: What a comparison can be asked to fail on: any event that changes, or one that fails and did not.
FailOn = Literal["changed", "failing"]

#: Fields whose changes are counted one by one: events whose field names are ids would make as many as there are events.
MAX_FIELDS = 1_000

_INDEX = re.compile(r"(?<=\.)\d+(?=\.|$)", re.ASCII)


@dataclass(slots=True)
class Survey:
    """Counts of outcomes. An event that no route takes counts once as filtered, as it does in a worker."""

    mapped: int = 0
    filtered: int = 0
    failed: int = 0
    by_route: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: Outcomes) -> None:
        """Count one event."""
        before = self.mapped + self.failed
        for route, outcome in outcomes.items():
            if isinstance(outcome, Mapped):
                self.mapped += 1
                self.by_route[route]["mapped"] += 1
            elif isinstance(outcome, Failed):
                self.failed += 1
                self.by_route[route]["failed"] += 1
                self.errors[f"{outcome.stage}/{outcome.error}"] += 1
            else:
                self.by_route[route]["filtered"] += 1
        if self.mapped + self.failed == before:
            self.filtered += 1


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """One event of which a route would make something else."""

    origin: Origin
    route: str
    change: ChangeKind
    places: tuple[Difference, ...]

    def as_json(self) -> JsonObject:
        places = [place.as_json() for place in self.places]
        return {"origin": str(self.origin), "route": self.route, "change": self.change, "differences": places}


@dataclass(slots=True)
class FieldChange:
    """How many events differ in one field, and the first two values of it."""

    first: Difference
    events: int = 0

    def as_json(self) -> JsonObject:
        return {"events": self.events, "example": self.first.as_json()}


@dataclass(slots=True)
class Comparison:
    """What other routes would change: counts by route and kind, by field and by cause, and examples.

    `first`: of each route and kind the first `keep` in full; `fields` by route and path, where a list's places are
    one, the first `max_fields` by themselves; `causes`: why events fail that did not.
    """

    keep: int = 5
    max_fields: int = MAX_FIELDS
    compared: int = 0
    events: int = 0
    counts: Counter[tuple[str, ChangeKind]] = field(default_factory=Counter)
    fields: dict[tuple[str, str], FieldChange] = field(default_factory=dict)
    causes: Counter[FailureCluster] = field(default_factory=Counter)
    first: list[ChangedEvent] = field(default_factory=list)

    def add(self, origin: Origin, before: Outcomes, after: Outcomes) -> None:
        """Compare one event's outcomes; a route that one side lacks takes nothing there."""
        self.compared += 1
        found = False
        for route in sorted({*before, *after}):
            left, right = before.get(route, FILTERED), after.get(route, FILTERED)
            change = _change(left, right)
            if change is None:
                continue
            found = True
            self.counts[route, change] += 1
            places = tuple(_places(left, right))
            if change == "mapped differently":
                self._count_fields(route, places)
            elif change == "now failed" and isinstance(right, Failed):
                self.causes[_cause(route, right)] += 1
            if self.counts[route, change] <= self.keep:
                self.first.append(ChangedEvent(origin, route, change, places))
        self.events += found

    def _count_fields(self, route: str, places: Iterable[Difference]) -> None:
        by_path = {_INDEX.sub("*", place.path): place for place in reversed(list(places))}
        for path, place in by_path.items():
            is_named = (route, path) in self.fields or len(self.fields) < self.max_fields
            named = route, path if is_named else "(more fields)"
            self.fields.setdefault(named, FieldChange(place)).events += 1

    @property
    def unchanged(self) -> int:
        """Events of which every route makes the same."""
        return self.compared - self.events

    def total(self, change: ChangeKind) -> int:
        """Outcomes that change in this way, on all routes."""
        return sum(number for (_, kind), number in self.counts.items() if kind == change)

    def fails(self, fail_on: FailOn | None) -> bool:
        """Whether there is what it is to fail on."""
        return bool({"changed": self.events, "failing": self.total("now failed"), None: 0}[fail_on])

    def by_route(self) -> dict[str, dict[str, int]]:
        """Counts as JSON: route -> kind of change -> events."""
        table: dict[str, dict[str, int]] = {}
        for (route, change), number in sorted(self.counts.items()):
            table.setdefault(route, {})[change] = number
        return table

    def most_changed(self) -> list[tuple[str, str, FieldChange]]:
        """Route, field and how it changes, the most frequent first."""
        found = [(route, path, change) for (route, path), change in self.fields.items()]
        return sorted(found, key=lambda one: (-one[2].events, one[0], one[1]))


def _cause(route: str, failed: Failed) -> FailureCluster:
    details = [violation.as_json() for violation in failed.details]
    return cluster_of({"stage": failed.stage, "error": failed.error, "route": route, "details": details})


def _change(before: Outcome, after: Outcome) -> ChangeKind | None:
    if isinstance(after, Mapped):
        if isinstance(before, Mapped):
            return None if _is_same(before, after) else "mapped differently"
        return "now passing" if isinstance(before, Failed) else "now mapped"
    if isinstance(after, Failed):
        if isinstance(before, Failed):
            return None if _verdict(before) == _verdict(after) else "fails differently"
        return "now failed"
    return None if isinstance(before, Filtered) else "now filtered"


def _is_same(before: Mapped, after: Mapped) -> bool:
    return bool(before.written and before.written == after.written) or same_json(before.entry, after.entry)


def _places(before: Outcome, after: Outcome) -> Iterator[Difference]:
    """Where two outcomes differ; an event and a failure have no places in common and differ as a whole."""
    if type(before) is type(after):
        yield from differences(_as_json(before), _as_json(after))
    else:
        yield Difference("the result", _as_json(before), _as_json(after))


def _verdict(failed: Failed) -> tuple[Any, ...]:
    # The words of a message may differ by engine; what is wrong with the event does not.
    return (failed.stage, failed.error, failed.details)


def _as_json(outcome: Outcome) -> Any:
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed):
        return outcome.as_json()
    return MISSING
