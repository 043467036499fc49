"""This module is what contestants share: where things are, and the project's own routes as a plain function."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from processors.delivery.entries import MAX_ENTRIES, entry
from processors.routes.filter_index import RouteIndex
from processors.routes.route import compile_route
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


class Mapping:
    """The routes, and what they make of a value."""

    def __init__(self) -> None:
        folder = Path(os.environ.get("ROUTES_DIR", "schemas"))
        self._routes = RouteIndex(map(compile_route, read_routes(folder)))

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
