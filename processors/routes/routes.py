"""This module makes of an event's bytes what the process stage sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import orjson

from processors.event.errors import MalformedEventError, Violation
from processors.event.identity import SourceEvent, event_of_bytes
from processors.event.strict_json import JsonObject
from processors.routes.filter_index import RouteIndex
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.route import Route, RouteTexts


@dataclass(frozen=True, slots=True)
class TriedRoute:
    """A route that was compiled elsewhere, on `engine`, and whose examples hold."""

    texts: RouteTexts
    engine: str
    engine_reason: str = ""

    @property
    def name(self) -> str:
        return self.texts.name


class Routes:
    """All routes in name order, compiled or tried; one event may feed several."""

    def __init__(self, routes: Iterable[Route | TriedRoute]) -> None:
        self._routes = {route.name: route for route in sorted(routes, key=lambda route: route.name)}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._routes.values())

    def __len__(self) -> int:
        return len(self._routes)

    def get(self, name: str | None) -> Route | TriedRoute | None:
        """The route of that name, None when there is none (it may have been removed since)."""
        return self._routes.get(name) if name else None

    def fingerprint(self, name: str) -> str:
        """What tells of a route what it makes of events; nothing of one that is not there."""
        found = self.get(name)
        return found.texts.fingerprint if found is not None else ""

    def bus(self, name: str) -> str | None:
        """The bus that a route names."""
        found = self.get(name)
        return found.texts.event_bus if found is not None else None


def route_summary(route: Route | TriedRoute) -> JsonObject:
    """What a list of routes shows of one."""
    texts = route.texts
    return {
        "name": texts.name,
        "description": texts.description,
        "source": texts.source,
        "detailType": texts.detail_type,
        "eventBus": texts.event_bus,
        "engine": route.engine,
        "engineReason": route.engine_reason or None,
        "examples": len(texts.examples),
        "warnings": list(texts.warnings),
    }


#: More violations than a failure record has room for (processors/delivery/failure_record.py
#: keeps a quarter of a message).
MAX_VIOLATIONS = 5_000


class Raw(NamedTuple):
    """One event as it stands in Kafka. `event_id`: the id the source gave; `barred`: routes to leave out.

    `received_at` (epoch ms): when it came, where it does not say so itself.
    """

    value: bytes | None
    event_id: str | None = None
    barred: tuple[str, ...] = ()
    received_at: int | None = None


class Encoded(NamedTuple):
    """A mapped event as JSON, ready to be sent."""

    route: str
    value: bytes


class Routed(NamedTuple):
    """What became of one event, in the order of the routes; nothing means that no route takes it.

    `key` and `event_id` are None where the bytes could not be read as an event.
    """

    key: str | None = None
    event_id: str | None = None
    outcomes: tuple[Encoded | Failed, ...] = ()


class RouteProtocol(Protocol):
    """What an event is tried on: a route."""

    @property
    def name(self) -> str: ...

    def apply(self, event: SourceEvent) -> Outcome:
        """Filter, map, validate; raises nothing."""


def outcomes_of(routes: Iterable[RouteProtocol], event: SourceEvent) -> dict[str, Outcome]:
    """What each route makes of an event, by its name."""
    return {route.name: route.apply(event) for route in routes}


def route_event(routes: Iterable[RouteProtocol], raw: Raw, max_bytes: int, on_route: Callable[[str], None]) -> Routed:
    """Try one event on every route that may take it and is not barred; `on_route` hears of each before it is tried.

    A mapped event of more than `max_bytes` is the failure `EntryTooLarge`. Raises MemoryError when a route
    ran out of it: what an expression has left of the process by then is anybody's guess.
    """
    try:
        event = event_of_bytes(raw.value, raw.event_id, raw.received_at)
    except MalformedEventError as error:
        return Routed(outcomes=(_plain(Failed.of(error), max_bytes),))
    outcomes: list[Encoded | Failed] = []
    for route in routes.for_body(event.body) if isinstance(routes, RouteIndex) else routes:
        if route.name in raw.barred:
            continue
        on_route(route.name)
        outcome = encoded(route.apply(event), max_bytes)
        if isinstance(outcome, Failed) and outcome.error.endswith("Crash"):
            raise MemoryError(outcome.message)
        if outcome is not None:
            outcomes.append(outcome)
    return Routed(_text(event.key), event.event_id, tuple(outcomes))


def encoded(outcome: Outcome, max_bytes: int) -> Encoded | Failed | None:
    """The outcome as bytes, or why it cannot be; None for an event that the route does not take."""
    if isinstance(outcome, Filtered):
        return None
    if isinstance(outcome, Mapped):
        if len(outcome.written) > max_bytes:
            message = f"the mapped event has {len(outcome.written)} bytes"
            return Failed("transform", "EntryTooLarge", message, route=outcome.route)
        return Encoded(outcome.route, outcome.written)
    return _plain(outcome, max_bytes)


def _plain(failed: Failed, max_bytes: int) -> Failed:
    """The failure with nothing in it that JSON cannot carry, or that its record would not keep."""
    return replace(
        failed,
        message=_text(failed.message),
        details=tuple(_violation(one) for one in failed.details[:MAX_VIOLATIONS]),
        transformed=failed.transformed if _fits(failed.transformed, max_bytes) else None,
    )


def _fits(value: object, max_bytes: int) -> bool:
    try:
        return len(orjson.dumps({"transformedEvent": value})) <= max_bytes
    except TypeError:
        return False


def _violation(one: Violation) -> Violation:
    return Violation(_text(one.path), one.rule, _text(one.message))


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
