"""This module runs a route's examples and tells what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.event.identity import SourceEvent, identify
from processors.event.strict_json import JsonObject
from processors.routes.differences import MISSING, Difference, differences
from processors.routes.entry_limits import unread_fields
from processors.routes.jsonata.engines import ENGINES
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.route import Begin, Example, Route, compile_route


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
    if not isinstance(expect, dict) or "error" in expect:
        return "it was mapped"
    place = next(differences(expect, outcome.entry, partial=True), None)
    return f"{place.path} is {_word(place.after)}, not {_word(place.before)}" if place else ""


def _word(value: Any) -> str:
    return repr(value) if value is MISSING else orjson.dumps(value, default=repr).decode()


def meets(expect: Any, came: Any) -> bool:
    """Whether what came, in the words of an `expect`, is what an example expects."""
    if expect == "filtered" or came == "filtered":
        return bool(expect == came)
    if ("error" in expect) != ("error" in came):
        return False
    if "error" in expect:
        details = came.get("details", [])
        return bool(expect["error"] == came["error"] and expect.get("details", details) == details)
    return next(differences(expect, came, partial=True), None) is None


def wrong_expectation(expect: Any) -> str:
    """Why no outcome can be what an example expects; empty when one can."""
    if expect == "filtered":
        return ""
    if not isinstance(expect, dict):
        return 'expect is "filtered", a part of the mapped event, or {"error": …, "details": […]}'
    if "error" not in expect:
        return ""
    details = expect.get("details", [])
    if set(expect) - {"error", "details"} or not isinstance(expect["error"], str):
        return "an expected failure has error, a text, and perhaps details"
    if not isinstance(details, list) or not all(isinstance(path, str) for path in details):
        return "the details of an expected failure are paths"
    return ""


@dataclass(frozen=True, slots=True)
class TriedExample:
    """One example that was run. `mismatch` says in words why it does not hold; empty when it does.

    `note`: what the other engine makes of it, where that is something else, what an engine cannot keep, and fields of
    the mapped event that nothing reads.
    """

    name: str
    mismatch: str
    places: tuple[Difference, ...] = ()
    note: str = ""

    @property
    def holds(self) -> bool:
        return not self.mismatch

    def as_json(self) -> JsonObject:
        described: JsonObject = {"example": self.name, "holds": self.holds}
        if not self.holds:
            described |= {"message": self.mismatch, "differences": [place.as_json() for place in self.places]}
        return described | ({"note": self.note} if self.note else {})


def run_examples(route: Route, second: Route | None = None) -> list[TriedExample]:
    """Every example of the route, in order; differences go from what is expected to what came.

    `second`: the same route on another engine, whose opinion is noted where it differs.
    """
    return [_tried(example, route, second) for example in route.texts.examples]


def second_opinion(route: Route) -> Route | None:
    """The same route on the engine that it does not run on; None where there is none, or that engine refuses it."""
    for engine in ENGINES:
        if engine.name != route.engine:
            try:
                return compile_route(route.texts, engine=engine)
            except RouteError:
                return None
    return None


def _tried(example: Example, route: Route, second: Route | None) -> TriedExample:
    event = identify(example.event)
    found = route.apply(event)
    mismatch = _mismatch(example.expect, found)
    places: tuple[Difference, ...] = ()
    if mismatch and isinstance(found, Mapped) and isinstance(example.expect, dict):
        places = tuple(differences(example.expect, found.entry, partial=True))
    elif mismatch:  # an outcome of another kind differs as a whole
        places = (Difference("the result", example.expect, expectation(found)),)
    notes = [_second_opinion(example, found, second, event)] if second else []
    if isinstance(found, Mapped):
        notes.append(unread_fields(found.entry))
    if event.big_integers:
        notes.append("an integer beyond 2^53 keeps its digits only where it is passed on as it is")
    return TriedExample(example.name, mismatch, places, "; ".join(filter(None, notes)))


def _second_opinion(example: Example, found: Outcome, second: Route, event: SourceEvent) -> str:
    other = second.apply(event)
    places = [*differences(expectation(found), expectation(other))]
    if not places:
        return ""
    place = places[0]
    verdict = "does not meet expect" if _mismatch(example.expect, other) else "meets expect"
    return (
        f"{second.engine} differs: {place.path} is {_word(place.after)} there, {_word(place.before)} here; it {verdict}"
    )


def expectation(outcome: Outcome) -> Any:
    """An outcome in the words of an example's `expect`."""
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed):
        paths = [violation.path for violation in outcome.details]
        return {"error": outcome.error, **({"details": paths} if paths else {})}
    return "filtered"
