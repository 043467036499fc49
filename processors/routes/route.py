"""This module makes a route from its texts, and tries events on routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from processors.event.errors import FilterError, MappingError, PipelineError, RouteError
from processors.event.formats import is_date_time
from processors.event.identity import Event, identify
from processors.event.strict_json import JsonObject, has_foreign_number, json_type
from processors.routes.expressions import (
    ENGINES,
    REFERENCE,
    TIMEOUT_MS,
    Engine,
    Expression,
    ExpressionError,
    as_predicate,
    compile_text,
    engines_may_differ,
)
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.schema import Check, compile_schema


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a route: an event and what must come of it.

    `expect` is `"filtered"`, a part of the mapped event, or `{"error": code, "details": [path, …]}`.
    """

    name: str
    event: JsonObject
    expect: Any


@dataclass(frozen=True, slots=True)
class RouteTexts:
    """A route folder as read: nothing compiled yet. `schema` is already a JSON Schema object."""

    name: str
    description: str
    source: str | None
    detail_type: str | None
    event_bus: str | None
    schema_origin: str
    filter: str
    mapping: str
    schema: JsonObject
    examples: tuple[Example, ...]

    @property
    def fingerprint(self) -> str:
        """The same as long as the route makes the same of an event."""
        made_by = (self.source, self.detail_type, self.event_bus, self.filter, self.mapping)
        return blake2b(repr(made_by).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Route:
    """One compiled route. `engine` names the JSONata engine it runs on, `engine_reason` why not the fast one.

    `reference`: the same route on the reference, for the few events on which the engines may differ.
    """

    texts: RouteTexts
    filter: Expression
    mapping: Expression
    check: Check
    engine: str
    engine_reason: str = ""
    reference: Route | None = None

    @property
    def name(self) -> str:
        return self.texts.name

    def apply(self, event: Event) -> Outcome:
        """Filter, map, validate. Never raises: what goes wrong is a Failed."""
        if self.reference is not None and engines_may_differ(event.body):
            return self.reference.apply(event)
        mapped: JsonObject | None = None
        try:
            if not self._is_ours(event):
                return Filtered()
            mapped = self._map(event)
            self.check(mapped)
            _check_sendable(mapped)
        except PipelineError as error:
            return Failed.of(error, self.name, mapped)
        return Mapped(self.name, mapped)

    def _is_ours(self, event: Event) -> bool:
        try:
            return self.filter(event) is True
        except ExpressionError as error:
            raise FilterError(str(error), code=f"Filter{error.kind}") from None

    def _map(self, event: Event) -> JsonObject:
        try:
            mapped = self.mapping(event)
        except ExpressionError as error:
            raise MappingError(str(error), code=f"Mapping{error.kind}") from None
        if not isinstance(mapped, dict):
            raise MappingError(f"the mapping gave {json_type(mapped)}, not an object", code="MappingError")
        defaults = {"source": self.texts.source, "detail-type": self.texts.detail_type}
        return {**{name: value for name, value in defaults.items() if value is not None}, **mapped}


#: Hears the name of an example, before each time that it is tried.
Begin = Callable[[str], None]


def compile_route(texts: RouteTexts, timeout_ms: int = TIMEOUT_MS, begin: Begin = lambda _: None) -> Route:
    """Compile on the fastest engine that agrees with the reference on every example.

    One evaluation of filter or mapping may take `timeout_ms`. Raises RouteError.
    """
    check = compile_schema(texts.schema, f"{texts.name}: {texts.schema_origin}")
    reference = _build(texts, check, REFERENCE, timeout_ms)
    if ENGINES[0] is REFERENCE:
        return replace(reference, engine_reason="jsonatapy is not installed")
    try:
        fast = _build(texts, check, ENGINES[0], timeout_ms)
    except RouteError as error:
        return replace(reference, engine_reason=f"the fast engine does not compile it: {error}")
    for example in texts.examples:
        event, found = identify(example.event), []
        for route in (fast, reference):
            begin(example.name)
            found.append(_results(route, event))
        if found[0] != found[1]:
            return replace(reference, engine_reason=f"the engines disagree on example {example.name}")
    return replace(fast, reference=reference)


def _build(texts: RouteTexts, check: Check, engine: Engine, timeout_ms: int = TIMEOUT_MS) -> Route:
    accepts = compile_text(as_predicate(texts.filter), engine, f"{texts.name}/filter.jsonata", timeout_ms)
    maps = compile_text(texts.mapping, engine, f"{texts.name}/mapping.jsonata", timeout_ms)
    return Route(texts, accepts, maps, check, "reference" if engine is REFERENCE else "fast")


def _results(route: Route, event: Event) -> Sequence[Any]:
    outcome = route.apply(event)
    if isinstance(outcome, Failed):  # the engines word their errors differently; the code is what counts
        return ["failed", outcome.stage, outcome.error, outcome.details, outcome.transformed]
    return [outcome]


def _check_sendable(entry: JsonObject) -> None:
    """Refuse what PutEvents cannot take whatever a route's schema says (types of its entry fields, int64)."""
    problems = [name for name in ("source", "detail-type") if not isinstance(entry.get(name), str) or not entry[name]]
    if not isinstance(entry.get("detail"), dict):
        problems.append("detail")
    if not _is_text_list(entry.get("resources", [])):
        problems.append("resources")
    time = entry.get("time")
    if time is not None and not (isinstance(time, str) and is_date_time(time)):
        problems.append("time")
    if problems:
        raise MappingError(f"PutEvents cannot take the mapped {', '.join(problems)}", code="MalformedEntry")
    if has_foreign_number(entry["detail"]):
        raise MappingError("the mapped detail holds an integer beyond int64 or no number", code="NumberOutOfRange")


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
