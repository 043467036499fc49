"""This module tries records on routes without consequences: on some, and on those that they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from processors.event.errors import MalformedEventError
from processors.event.identity import SourceEvent, event_of_bytes
from processors.routes.filter_index import RouteIndex
from processors.routes.outcome import Failed, Filtered, Outcome
from processors.routes.route import Route

#: Outcomes by the name of the route; under UNREAD when the bytes were no event, so that no route saw them.
Outcomes = Mapping[str, Outcome]
UNREAD = ""

FILTERED = Filtered()


class Attempt(NamedTuple):
    """What came of a record: on the routes, and on the current ones where there are some to compare with."""

    after: Outcomes
    before: Outcomes | None


class Attempts:
    """Everything that the process stage would make of records on `routes`, and on the `current` ones.

    As there, no route is tried on an event that its filter cannot take. A route that both sides have alike is tried
    once: a mapping that tells the time does not differ from itself.
    """

    def __init__(self, routes: Iterable[Route], current: Iterable[Route] | None = None) -> None:
        self._routes = _Side(routes)
        self._current = None if current is None else _Side(current)
        self._alike = frozenset(() if self._current is None else self._routes.alike(self._current))

    def of(self, value: bytes | None, event_id: str | None, received_at: int | None = None) -> Attempt:
        """Try one record, received then (epoch ms). Raises nothing."""
        try:
            event = event_of_bytes(value, event_id, received_at)
        except MalformedEventError as error:
            unread = {UNREAD: Failed.of(error)}
            return Attempt(unread, None if self._current is None else unread)
        after = self._routes.outcomes(event)
        if self._current is None:
            return Attempt(after, None)
        return Attempt(after, self._current.outcomes(event, {name: after[name] for name in self._alike}))


class _Side:
    """Routes by what their filters demand."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._index = RouteIndex(routes)
        self._filtered: Outcomes = {route.name: FILTERED for route in self._index}

    def alike(self, other: _Side) -> Iterable[str]:
        """Names of the routes of which both sides make, and let pass, the same."""
        theirs = {route.name: route.texts.checked_fingerprint for route in other._index}
        return (one.name for one in self._index if theirs.get(one.name) == one.texts.checked_fingerprint)

    def outcomes(self, event: SourceEvent, known: Outcomes | None = None) -> Outcomes:
        """What each route makes of the event, in the order of the routes; of some it is `known`."""
        known = known or {}
        tried = {one.name: one.apply(event) for one in self._index.for_body(event.body) if one.name not in known}
        return {**self._filtered, **known, **tried}
