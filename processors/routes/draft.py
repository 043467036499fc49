"""This module tries a route that is being written on one event, and says everything that is wrong at once.

A worker stops at the first thing that is wrong; who edits wants all: each text that does not compile, at its line and
column, where an evaluation stopped, what the mapping gives although the filter leaves the event, and every violation
with the place in the mapping that makes the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import orjson

from processors.event.errors import MalformedEventError, RouteError, Violation
from processors.event.identity import SourceEvent
from processors.event.json_places import offset_of, syntax_error
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.entry_limits import unread_fields
from processors.routes.jsonata.engines import LEADING
from processors.routes.jsonata.expressions import Expression, ExpressionError, as_predicate, compile_text
from processors.routes.jsonata.fault_position import runtime_fault_offset
from processors.routes.jsonata.text import Position, tokens
from processors.routes.outcome import Failed, Mapped, Outcome
from processors.routes.route import Route, RouteTexts
from processors.routes.schema import Check, compile_schema

DraftPart = Literal["event", "filter", "mapping", "schema"]

#: Hears what is begun, before it may take long: a part's name, and whether it is compiled or evaluated.
Begin = Callable[[DraftPart, Literal["compile", "evaluate"]], None]


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts as they stand in the editors. `documents`: the JSON files that the schema may refer to."""

    filter: str
    mapping: str
    schema: str
    source: str | None = None
    detail_type: str | None = None
    documents: Mapping[str, Any] = field(default_factory=dict)

    def texts(self, name: str, schema: JsonObject) -> RouteTexts:
        """As the texts of a route."""
        return RouteTexts(
            name=name,
            description="",
            source=self.source,
            detail_type=self.detail_type,
            event_bus=None,
            schema_origin="schema.json",
            filter=self.filter,
            mapping=self.mapping,
            schema=schema,
            examples=(),
            documents=self.documents,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a text, where that is known: `line` and `column` count from 1, in characters."""

    part: DraftPart
    message: str
    line: int | None = None
    column: int | None = None
    offset: int | None = None

    @classmethod
    def at(cls, part: DraftPart, message: str, text: str, offset: int | None) -> Fault:
        if offset is None:
            return cls(part, message)
        place = Position.of(text, min(offset, len(text)))
        return cls(part, message, place.line, place.column, offset)

    def as_json(self) -> JsonObject:
        return {"part": self.part, "message": self.message, "line": self.line, "column": self.column}


class DraftTrial:
    """One draft on one event; `begin` hears each step."""

    def __init__(self, draft: Draft, event: SourceEvent, timeout_ms: int, begin: Begin) -> None:
        self._draft, self._event, self._timeout_ms, self._begin = draft, event, timeout_ms, begin
        self._faults: list[Fault] = []

    def run(self) -> JsonObject:
        """`{"outcome": "mapped" | "filtered" | "failed" | "invalid", "transformedEvent", "errors", "details", …}`,
        with a `note` of mapped fields that nothing reads.

        `invalid`: a text does not compile, so that no worker would start with it. Raises MemoryError.
        """
        accepts = self._compiled("filter", self._draft.filter, as_predicate)
        maps = self._compiled("mapping", self._draft.mapping, lambda text: text)
        check = self._schema()
        is_invalid = bool(self._faults)
        takes = self._takes(accepts) if accepts else None
        outcome = self._mapped(maps, check) if maps else None
        found: JsonObject = {
            "outcome": "invalid" if is_invalid else _ended(takes, outcome),
            "takes": takes.yes if isinstance(takes, FilterVerdict) else None,
            "engine": LEADING.name,
            "transformedEvent": _entry(outcome),
            "errors": [fault.as_json() for fault in self._faults],
            "details": [],
        }
        failed = takes if isinstance(takes, Failed) else outcome if isinstance(outcome, Failed) else None
        if failed is not None and found["outcome"] == "failed":
            found |= {"stage": failed.stage, "error": failed.error, "message": failed.message}
        if isinstance(outcome, Failed):
            found["details"] = [self._violation(one) for one in outcome.details]
        if isinstance(outcome, Mapped) and (note := unread_fields(outcome.entry)):
            found["note"] = note
        return found

    def _compiled(self, part: DraftPart, text: str, wrap: Callable[[str], str]) -> Expression | None:
        self._begin(part, "compile")
        try:
            return compile_text(text, LEADING, part, self._timeout_ms, wrap=wrap)
        except RouteError as error:
            self._faults.append(Fault.at(part, error.reason, text, error.offset))
            return None

    def _schema(self) -> Check | None:
        text = self._draft.schema
        self._begin("schema", "compile")
        if (wrong := syntax_error(text)) is not None:
            self._faults.append(Fault.at("schema", f"not JSON: {wrong[1]}", text, wrong[0]))
            return None
        try:
            schema = parse_object(text.encode())
            return compile_schema(schema, "schema.json", self._draft.documents)
        except MalformedEventError as error:
            self._faults.append(Fault.at("schema", f"a JSON Schema is an object: {error}", text, 0))
        except RouteError as error:
            path = (error.pointer or "").split("/")[1:]
            self._faults.append(Fault.at("schema", error.reason, text, offset_of(text, path)))
        return None

    def _takes(self, accepts: Expression) -> FilterVerdict | Failed:
        self._begin("filter", "evaluate")
        try:
            return FilterVerdict(accepts(self._event) is True)
        except ExpressionError as error:
            self._raised("filter", self._draft.filter, error)
            return Failed("filter", f"Filter{error.kind}", str(error))

    def _mapped(self, maps: Expression, check: Check | None) -> Outcome:
        """What the mapping makes of the event, taken or not, as the route would go on with it."""
        self._begin("mapping", "evaluate")
        values: list[Any] = []

        def mapping(event: SourceEvent) -> Any:
            try:
                values.append(maps(event))
            except ExpressionError as error:
                self._raised("mapping", self._draft.mapping, error)
                raise
            return values[-1]

        texts = self._draft.texts("draft", {})
        route = Route(texts, lambda event: True, mapping, check or _nothing, LEADING.name)
        outcome = route.apply(self._event)
        if isinstance(outcome, Failed) and outcome.transformed is None and values and isinstance(values[0], dict):
            return replace(outcome, transformed=values[0])
        return outcome

    def _raised(self, part: DraftPart, text: str, error: ExpressionError) -> None:
        if error.crash:
            raise MemoryError(str(error))
        offset = error.offset
        if offset is None and not error.timeout:
            offset = runtime_fault_offset(text, self._event, self._timeout_ms)
        self._faults.append(Fault.at(part, str(error), text, offset))

    def _violation(self, one: Violation) -> JsonObject:
        """With the place of the mapping that makes the field, where its name is written there as it is."""
        place = _made_at(self._draft.mapping, one.path)
        return {**one.as_json(), "line": place.line if place else None, "column": place.column if place else None}


@dataclass(frozen=True, slots=True)
class FilterVerdict:
    """What the filter says."""

    yes: bool


def _ended(takes: FilterVerdict | Failed | None, outcome: Outcome | None) -> str:
    if isinstance(takes, FilterVerdict) and not takes.yes:
        return "filtered"
    return "mapped" if isinstance(takes, FilterVerdict) and isinstance(outcome, Mapped) else "failed"


def _entry(outcome: Outcome | None) -> JsonObject | None:
    if isinstance(outcome, Mapped):
        return outcome.entry
    if isinstance(outcome, Failed) and outcome.transformed is not None:
        try:
            orjson.dumps(outcome.transformed)
        except TypeError:  # it holds what JSON has no word for
            return None
        return outcome.transformed
    return None


def _nothing(value: Any) -> None:
    """No schema to check by: it does not compile, which is told."""


def _made_at(mapping: str, path: str) -> Position | None:
    """Where the mapping names the last field of a path: the one whose outer fields stand before it, if there is one."""
    steps = [step for step in path.split(".") if not step.isdigit()]
    at, found = 0, None
    keys = list(_keys(mapping))
    for step in steps:
        following = [offset for name, offset in keys if name == step and offset >= at]
        if not following:
            return Position.of(mapping, found) if found is not None else None
        at = found = following[0]
    return Position.of(mapping, found) if found is not None else None


def _keys(text: str) -> list[tuple[str, int]]:
    """The names of fields that an expression writes: texts before a colon."""
    found = list(tokens(text))
    return [
        (token.text[1:-1], token.offset)
        for token, following in pairwise(found)
        if token.kind == "string" and following.text == ":"
    ]
