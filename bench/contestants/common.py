"""This module is what contestants share: where things are, and the project's own routes as a plain function."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from processors.delivery.entries import MAX_ENTRIES, entry
from processors.event.identity import SourceEvent
from processors.routes.filter_index import Demand, RouteIndex, demands_of
from processors.routes.outcome import Outcome
from processors.routes.route import Route, compile_route
from processors.routes.routes import Encoded, Raw, Routed, route_event
from streams.routes.folder import read_routes

SERVERS = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
BUS = os.environ["EVENTBUS_NAME"]
AWS = {"region_name": os.environ["AWS_REGION"], "endpoint_url": os.environ["AWS_ENDPOINT_URL"]}
IN_FLIGHT = 32

Item = TypeVar("Item")


def topic(name: str) -> str:
    """The full name of a topic."""
    return os.environ["KAFKA_TOPIC_PREFIX"] + name


@dataclass(frozen=True, slots=True)
class IndexedRoute:
    """A route and what its filter demands."""

    name: str
    route: Route
    demands: tuple[Demand, ...]

    def apply(self, event: SourceEvent) -> Outcome:
        """As the route does."""
        return self.route.apply(event)


class Mapping:
    """The routes, and what they make of a value."""

    def __init__(self) -> None:
        folder = Path(os.environ.get("ROUTES_DIR", "schemas"))
        self._routes = RouteIndex(
            IndexedRoute(texts.name, compile_route(texts), demands_of(texts.filter)) for texts in read_routes(folder)
        )

    def routed(self, value: bytes | None) -> Routed:
        """All that comes of it."""
        return route_event(self._routes, Raw(value), 1_000_000, lambda _: None)


def split(routed: Routed) -> tuple[list[bytes], list[bytes]]:
    """Mapped events, and records of failures."""
    mapped = [one.value for one in routed.outcomes if isinstance(one, Encoded)]
    failed = [orjson.dumps({"error": one.error}) for one in routed.outcomes if not isinstance(one, Encoded)]
    return mapped, failed


def fields(mapped: bytes) -> dict[str, Any]:
    """The entry of a mapped event."""
    return entry(orjson.loads(mapped), BUS).fields


def requests(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """As many as a request takes, at a time."""
    for start in range(0, len(items), MAX_ENTRIES):
        yield items[start : start + MAX_ENTRIES]
