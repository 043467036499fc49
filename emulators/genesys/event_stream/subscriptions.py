"""This module keeps the subscriptions of the HTTP stream, each with the events that wait for its reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from emulators.genesys.access.errors import ApiError
from emulators.genesys.event_stream.ledger import StreamEvent

ANY = "*"


@dataclass(frozen=True, slots=True)
class Definition:
    """What `POST /api/v2/events/subscriptions` asked for, validated."""

    id: str
    name: str
    description: str
    resource_types: tuple[str, ...]
    event_types: tuple[str, ...]
    filters: tuple[Mapping[str, object], ...]

    def wants(self, event: Mapping[str, object]) -> bool:
        """Types name what passes (`*` = all); of filters like `{"payload.type": "voice"}`, one must hold."""
        return (
            _listed(event.get("resourceType"), self.resource_types)
            and _listed(event.get("eventType"), self.event_types)
            and (not self.filters or any(_holds(one, event) for one in self.filters))
        )

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "resourceTypes": list(self.resource_types),
            "eventTypes": list(self.event_types),
            "filters": [dict(one) for one in self.filters],
            "selfUri": f"/api/v2/events/subscriptions/{self.id}",
        }


def parse_definition(body: object) -> Definition:
    """From a request's JSON; raises `ApiError` 400 that names the wrong field."""
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    return Definition(
        id=_uuid(body.get("id")),
        name=_text(body, "name"),
        description=_text(body, "description"),
        resource_types=_names(body, "resourceTypes"),
        event_types=_names(body, "eventTypes"),
        filters=_filters(body.get("filters", [])),
    )


@dataclass(slots=True, eq=False)
class Subscription:
    """A definition, and its waiting events, oldest first."""

    definition: Definition
    backlog_limit: int
    overflowed: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: deque[StreamEvent] = field(default_factory=deque)

    def put(self, entry: StreamEvent) -> None:
        """Queue behind the others; the oldest makes room when nobody reads for too long."""
        if len(self.waiting) >= self.backlog_limit:
            self.waiting.popleft()
            self.overflowed += 1
        self.waiting.append(entry)
        self.arrived.set()

    def take(self, most: int) -> list[StreamEvent]:
        """Up to `most` events from the front; what is not written must come back by `give_back`."""
        return [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]

    def give_back(self, entries: Iterable[StreamEvent]) -> None:
        """To the front again, in their order."""
        self.waiting.extendleft(reversed(list(entries)))
        self.arrived.set()


def _listed(value: object, names: tuple[str, ...]) -> bool:
    return ANY in names or value in names


def _holds(one: Mapping[str, object], event: Mapping[str, object]) -> bool:
    return all(_accepts(wanted, _at(event, path)) for path, wanted in one.items())


def _accepts(wanted: object, value: object) -> bool:
    return value in wanted if isinstance(wanted, list) else value == wanted


def _at(event: object, path: str) -> object:
    for part in path.split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return event


def _uuid(value: object) -> str:
    try:
        return str(UUID(value if isinstance(value, str) else ""))
    except ValueError as error:
        raise _invalid("id", "a UUID") from error


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(name, "a text that is not empty")
    return value


def _names(body: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = body.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise _invalid(name, "a list of at least one name")
    return tuple(value)


def _filters(value: object) -> tuple[Mapping[str, object], ...]:
    many = [value] if isinstance(value, dict) else value
    if not isinstance(many, list) or not all(isinstance(one, dict) for one in many):
        raise _invalid("filters", "an object or a list of objects")
    return tuple(one for one in many if one)


def _invalid(name: str, wanted: str) -> ApiError:
    return ApiError(
        400,
        "The field {field} must be {wanted}.",
        code="invalid.value",
        params={"field": name, "wanted": wanted},
    )
