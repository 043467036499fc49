"""This module tries events on routes without consequences, and tells what other routes would change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from processors.event.errors import MalformedEventError
from processors.event.headers import Origin
from processors.event.identity import decode
from processors.event.strict_json import JsonObject
from processors.routes.differences import MISSING, Difference, differences
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.route import Route

#: Outcomes by the name of the route; under UNREAD when the bytes were no event, so that no route saw them.
Outcomes = Mapping[str, Outcome]
UNREAD = ""

Change = Literal["mapped differently", "now mapped", "now filtered", "now failed", "fails differently"]

FILTERED = Filtered()


def attempt(
    routes: Iterable[Route], value: bytes | None, event_id: str | None, received_at: int | None = None
) -> Outcomes:
    """Everything the process stage would make of a record, received then (epoch ms). Raises nothing."""
    try:
        event = decode(value, event_id, received_at)
    except MalformedEventError as error:
        return {UNREAD: Failed.of(error)}
    return {route.name: route.apply(event) for route in routes}


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
class Changed:
    """One event of which a route would make something else."""

    origin: Origin
    route: str
    change: Change
    places: tuple[Difference, ...]

    def as_json(self) -> JsonObject:
        places = [place.as_json() for place in self.places]
        return {"origin": str(self.origin), "route": self.route, "change": self.change, "differences": places}


@dataclass(slots=True)
class Comparison:
    """What other routes would change: counts by route and kind, and the first `keep` of them in full."""

    keep: int = 5
    events: int = 0
    counts: Counter[tuple[str, Change]] = field(default_factory=Counter)
    first: list[Changed] = field(default_factory=list)

    def add(self, origin: Origin, before: Outcomes, after: Outcomes) -> None:
        """Compare one event's outcomes; a route that one side lacks takes nothing there."""
        found = False
        for route in sorted({*before, *after}):
            left, right = before.get(route, FILTERED), after.get(route, FILTERED)
            change = _change(left, right)
            if change is None:
                continue
            found = True
            self.counts[route, change] += 1
            if len(self.first) < self.keep:
                places = tuple(_places(left, right))
                self.first.append(Changed(origin, route, change, places))
        self.events += found

    def by_route(self) -> dict[str, dict[str, int]]:
        """Counts as JSON: route -> kind of change -> events."""
        table: dict[str, dict[str, int]] = {}
        for (route, change), number in sorted(self.counts.items()):
            table.setdefault(route, {})[change] = number
        return table


def _change(before: Outcome, after: Outcome) -> Change | None:
    if isinstance(after, Mapped):
        if isinstance(before, Mapped):
            return None if before.entry == after.entry else "mapped differently"
        return "now mapped"
    if isinstance(after, Failed):
        if isinstance(before, Failed):
            return None if _verdict(before) == _verdict(after) else "fails differently"
        return "now failed"
    return None if isinstance(before, Filtered) else "now filtered"


def _places(before: Outcome, after: Outcome) -> Iterator[Difference]:
    """Where two outcomes differ; an event and a failure have no places in common and differ as a whole."""
    if type(before) is type(after):
        yield from differences(_told(before), _told(after))
    else:
        yield Difference("the result", _told(before), _told(after))


def _verdict(failed: Failed) -> tuple[Any, ...]:
    # The words of a message may differ by engine; what is wrong with the event does not.
    return (failed.stage, failed.error, failed.details)


def _told(outcome: Outcome) -> Any:
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed):
        details = [violation.as_json() for violation in outcome.details]
        return {
            "error": outcome.error,
            "stage": outcome.stage,
            "message": outcome.message,
            "details": details,
        }
    return MISSING
