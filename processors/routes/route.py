"""This module makes a route from its texts, and tries events on routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from processors.event.errors import FilterError, MappingError, PipelineError
from processors.event.identity import SourceEvent
from processors.event.strict_json import (
    JsonObject,
    json_type,
    may_hold_whole_floats,
    with_digits,
    with_whole_numbers,
)
from processors.routes.entry_limits import check_limits, check_shape
from processors.routes.filter_index import Demand, demands_of
from processors.routes.jsonata.engines import LEADING
from processors.routes.jsonata.expressions import (
    TIMEOUT_MS,
    Engine,
    Expression,
    ExpressionError,
    as_predicate,
    compile_text,
)
from processors.routes.jsonata.jsonatapy_engine import IS_INSTALLED
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.schema import Check, compile_schema
from processors.routes.target import Offload, Target


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
    """A route folder as read: nothing compiled yet. `schema` is already a JSON Schema object.

    `warnings`: what is most likely not meant, though a worker starts. `documents`: the JSON files of the folder that
    its schema may refer to, by name.
    """

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
    warnings: tuple[str, ...] = ()
    documents: Mapping[str, Any] = field(default_factory=dict)
    target: Target | None = None
    offload: Offload | None = None

    @property
    def schema_name(self) -> str:
        """Where the schema is, for messages."""
        is_file = not self.schema_origin.startswith("registry ")
        return f"{self.name}{'/' if is_file else ': '}{self.schema_origin}"

    @property
    def fingerprint(self) -> str:
        """The same as long as the route makes the same of an event."""
        made_by = (self.source, self.detail_type, self.event_bus, self.filter, self.mapping)
        return blake2b(repr(made_by).encode(), digest_size=16).hexdigest()

    @property
    def checked_fingerprint(self) -> str:
        """The same as long as the route also lets the same pass."""
        let_by = (self.fingerprint, self.schema, self.documents, self.offload)
        return blake2b(repr(let_by).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Route:
    """One compiled route. `engine` names the JSONata engine it runs on, `engine_reason` why not the leading one.

    `demands`: what its filter demands of an event, so that it need not be tried on every other.
    """

    texts: RouteTexts
    filter: Expression
    mapping: Expression
    check: Check
    engine: str
    engine_reason: str = ""
    demands: tuple[Demand, ...] = ()

    @property
    def name(self) -> str:
        return self.texts.name

    def apply(self, event: SourceEvent) -> Outcome:
        """Filter, map, validate. Never raises: what goes wrong is a Failed. The event's body stays as it is."""
        mapped: JsonObject | None = None
        try:
            if not self._is_ours(event):
                return Filtered()
            mapped = self._map(event)
            written = _written(mapped)
            if isinstance(written, bytes) and may_hold_whole_floats(written):
                mapped = with_whole_numbers(mapped)  # what is passed on as a whole keeps them, and JSONata has none
                written = _written(mapped)
            self.check(mapped)
            check_shape(mapped, written if isinstance(written, bytes) else None)
            if isinstance(written, MappingError):
                raise written
            check_limits(mapped, written, may_be_large=self.texts.offload is not None)
        except PipelineError as error:
            return Failed.of(error, self.name, mapped, self.engine)
        return Mapped(self.name, mapped, written)

    def _is_ours(self, event: SourceEvent) -> bool:
        try:
            return self.filter(event) is True
        except ExpressionError as error:
            raise FilterError(str(error), code=f"Filter{error.kind}") from None

    def _map(self, event: SourceEvent) -> JsonObject:
        try:
            mapped = self.mapping(event)
        except ExpressionError as error:
            raise MappingError(str(error), code=f"Mapping{error.kind}") from None
        if not isinstance(mapped, dict):
            raise MappingError(f"the mapping gave {json_type(mapped)}, not an object", code="MappingError")
        if event.big_integers:
            mapped = with_digits(mapped, event.big_integers)
        defaults = {"source": self.texts.source, "detail-type": self.texts.detail_type}
        return {**{name: value for name, value in defaults.items() if value is not None}, **mapped}


def _written(mapped: JsonObject) -> bytes | MappingError:
    try:
        return orjson.dumps(mapped)
    except TypeError as error:  # a mapping can make what JSON has no word for: a lone surrogate
        return MappingError(f"the mapped event is not JSON: {error}", code="MappingError")


#: Hears the name of an example, before each time that it is tried.
Begin = Callable[[str], None]


def compile_route(texts: RouteTexts, timeout_ms: int = TIMEOUT_MS, engine: Engine = LEADING) -> Route:
    """Compile on the leading engine, or on another. One evaluation of filter or mapping may take `timeout_ms`.

    Raises RouteError.
    """
    check = compile_schema(texts.schema, texts.schema_name, texts.documents)
    filter_name, mapping_name = f"{texts.name}/filter.jsonata", f"{texts.name}/mapping.jsonata"
    accepts = compile_text(texts.filter, engine, filter_name, timeout_ms, wrap=as_predicate)
    maps = compile_text(texts.mapping, engine, mapping_name, timeout_ms)
    reason = "" if IS_INSTALLED else "jsonatapy is not installed"
    return Route(texts, accepts, maps, check, engine.name, reason, demands_of(texts.filter))
