"""This module runs a route's examples and tells what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from processors.differences import Difference, differences
from processors.event import JsonObject, identify
from processors.outcome import Failed, Mapped, Outcome
from processors.route import Route, failing_examples


@dataclass(frozen=True, slots=True)
class Tried:
    """One example that was run. `mismatch` says in words why it does not hold; empty when it does."""

    name: str
    mismatch: str
    places: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.mismatch

    def as_json(self) -> JsonObject:
        told: JsonObject = {"example": self.name, "holds": self.holds}
        if not self.holds:
            told |= {"message": self.mismatch, "differences": [place.as_json() for place in self.places]}
        return told


def run_examples(route: Route) -> list[Tried]:
    """Every example of the route, in order; differences go from what is expected to what came."""
    mismatches = {example.name: mismatch for example, mismatch in failing_examples(route)}
    tried = []
    for example in route.texts.examples:
        mismatch = mismatches.get(example.name, "")
        found = route.apply(identify(example.event)) if mismatch else None
        places = tuple(differences(example.expect, told(found), partial=True)) if found else ()
        tried.append(Tried(example.name, mismatch, places))
    return tried


def told(outcome: Outcome) -> Any:
    """An outcome in the words of an example's `expect`."""
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed):
        paths = [violation.path for violation in outcome.details]
        return {"error": outcome.error, **({"details": paths} if paths else {})}
    return "filtered"
