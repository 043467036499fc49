"""This module runs a route's examples and tells what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from processors.event.identity import identify
from processors.event.strict_json import JsonObject
from processors.routes.differences import Difference, differences
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.route import Begin, Example, Route


def failing_examples(route: Route, begin: Begin = lambda _: None) -> list[tuple[Example, str]]:
    """Examples whose outcome is not the one expected, each with what was found instead."""
    failing = []
    for example in route.texts.examples:
        begin(example.name)
        mismatch = _mismatch(example.expect, route.apply(identify(example.event)))
        if mismatch:
            failing.append((example, mismatch))
    return failing


def _mismatch(expect: Any, outcome: Outcome) -> str:
    if isinstance(outcome, Filtered):
        return "" if expect == "filtered" else "it was filtered"
    if isinstance(outcome, Failed):
        wanted = expect.get("error") if isinstance(expect, dict) and set(expect) <= {"error", "details"} else None
        paths = [violation.path for violation in outcome.details]
        if wanted == outcome.error and expect.get("details", paths) == paths:
            return ""
        return f"it failed with {outcome.error}: {outcome.message}"
    if isinstance(expect, dict) and "error" not in expect:
        return _difference(expect, outcome.entry, "")
    return "it was mapped"


def _difference(expect: Any, found: Any, path: str) -> str:
    """Say where `found` lacks what `expect` asks for; fields that `expect` does not name are free."""
    if isinstance(expect, dict) and isinstance(found, dict):
        steps = ((name, _difference(value, found.get(name), f"{path}.{name}")) for name, value in expect.items())
        return next((difference for _, difference in steps if difference), "")
    return "" if expect == found else f"{path.lstrip('.') or 'the result'} is {found!r}, not {expect!r}"


@dataclass(frozen=True, slots=True)
class TriedExample:
    """One example that was run. `mismatch` says in words why it does not hold; empty when it does."""

    name: str
    mismatch: str
    places: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.mismatch

    def as_json(self) -> JsonObject:
        described: JsonObject = {"example": self.name, "holds": self.holds}
        if not self.holds:
            described |= {"message": self.mismatch, "differences": [place.as_json() for place in self.places]}
        return described


def run_examples(route: Route) -> list[TriedExample]:
    """Every example of the route, in order; differences go from what is expected to what came."""
    mismatches = {example.name: mismatch for example, mismatch in failing_examples(route)}
    tried = []
    for example in route.texts.examples:
        mismatch = mismatches.get(example.name, "")
        found = route.apply(identify(example.event)) if mismatch else None
        places = tuple(differences(example.expect, expectation(found), partial=True)) if found else ()
        tried.append(TriedExample(example.name, mismatch, places))
    return tried


def expectation(outcome: Outcome) -> Any:
    """An outcome in the words of an example's `expect`."""
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed):
        paths = [violation.path for violation in outcome.details]
        return {"error": outcome.error, **({"details": paths} if paths else {})}
    return "filtered"
