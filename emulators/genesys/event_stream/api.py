"""This module answers the two paths of the HTTP stream: subscriptions, and the events of one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson
from aiohttp import web

from emulators.genesys.access.bodies import json_body
from emulators.genesys.access.errors import ApiError
from emulators.genesys.event_stream.connection import Connection, StreamContext
from emulators.genesys.event_stream.ledger import StreamEvent
from emulators.genesys.event_stream.subscriptions import Subscription, parse_definition

PATH = "/api/v2/events/subscriptions"
BACKLOG_LIMIT = 500_000


class Streaming:
    """Subscriptions live as long as the emulator; each has at most one reader, the newest."""

    def __init__(self, context: StreamContext) -> None:
        self.context = context
        self._emitted = 0
        self._readers: dict[str, Connection] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(PATH, self.create),
            web.get(PATH + "/{id}/events", self.events),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Answers 200 with the subscription, 400 for a wrong field, 409 when the id is taken."""
        definition = parse_definition(await json_body(request))
        if definition.id in self._subscriptions:
            raise ApiError(409, "The subscription {id} exists already.", params={"id": definition.id})
        self._subscriptions[definition.id] = Subscription(definition, BACKLOG_LIMIT)
        return web.json_response(definition.as_json())

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The endless answer. A second reader of the same subscription disconnects the first."""
        subscription = self._find(request)
        key = subscription.definition.id
        connection = Connection(self.context, subscription, request)
        while first := self._readers.get(key):
            first.cut("displaced by a second reader")
            await first.over.wait()  # what it has not written comes before what follows
        self._readers[key] = connection
        try:
            return await connection.serve()
        finally:
            del self._readers[key]
            connection.over.set()

    def cut(self, because: str = "cut by control") -> int:
        """Cut every stream now; answers how many there were."""
        readers = list(self._readers.values())
        for reader in readers:
            reader.cut(because)
        return len(readers)

    def emit_event(self, event: Mapping[str, object]) -> int:
        """Queue any event, wanted or not; answers with how many subscriptions."""
        return self._put(StreamEvent("emitted", event.get("id"), orjson.dumps(event)))

    def emit_line(self, line: bytes) -> int:
        """Queue any bytes as a line (a newline is added)."""
        self._emitted += 1
        return self._put(StreamEvent("emitted", f"line-{self._emitted}", line))

    def as_json(self) -> dict[str, object]:
        """For the summary: what was made, what waits, what was handed over."""
        production = self.context.production
        waiting = sum(len(one.waiting) for one in self._subscriptions.values())
        delivered = self.context.ledger.counts()
        return {
            "produced": dict(production.produced),
            "ended": production.ended,
            "waiting": waiting,
            "delivered": delivered,
            "finished": production.ended and not waiting and sum(delivered.values()) >= production.produced.total(),
            "overflowed": sum(one.overflowed for one in self._subscriptions.values()),
            "subscriptions": len(self._subscriptions),
            "readers": len(self._readers),
            "ends": dict(self.context.outcomes),
        }

    def _put(self, entry: StreamEvent) -> int:
        for subscription in self._subscriptions.values():
            subscription.put(entry)
        return len(self._subscriptions)

    @property
    def _subscriptions(self) -> dict[str, Subscription]:
        return self.context.production.subscriptions

    def _find(self, request: web.Request) -> Subscription:
        wanted = request.match_info["id"].lower()
        if not re.fullmatch(r"[0-9a-f-]{36}", wanted) or wanted not in self._subscriptions:
            raise ApiError(404, "The subscription {id} was not found.", params={"id": wanted})
        return self._subscriptions[wanted]
