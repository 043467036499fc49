"""This module shows the newest events of `raw`, for who wants to try a route on one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord
from faust.web import Request, Response, View

from clients.kafka.ranges import RangeError
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.formats import iso
from processors.event.kind import kind_of
from processors.event.strict_json import JsonObject, parse
from streams.app import app
from streams.replay.lookup import newest
from streams.views.common.answers import RefusedError, refusing, rows_wanted
from streams.views.common.bodies import masked, require_shown
from streams.views.common.concurrency import lookups

#: Events that are shown unless `?limit=` says otherwise, and at most.
LIMIT, MAX_LIMIT = 20, 200


@app.page("/api/raw/")
class RawEvents(View):
    """The newest ones, those of one key, or the one at a place."""

    async def get(self, request: Request) -> Response:
        """`{"events": [{partition, offset, at, receivedAt, key, eventId, kind, replayed, event}]}`, newest first.

        `limit`, `key`; or `partition` and `offset` for the event that stands there.
        """
        require_shown()
        query = request.query
        limit = rows_wanted(query, LIMIT, MAX_LIMIT)
        with lookups.turn(), refusing("bad request", 400, ValueError), refusing("unavailable", 503, RangeError):
            found = await _found(query, limit)
        if not found and "partition" in query:
            raise RefusedError("not found", "raw does not hold that event any more, or never did", 404)
        return self.json({"events": [_shown(record) for record in found]})


async def _found(query: Mapping[str, str], limit: int) -> list[ConsumerRecord]:
    """The events that are asked for. Raises ValueError or RangeError."""
    if "partition" not in query:
        return await newest.newest(app.settings, limit, query.get("key"))
    one = await newest.at(app.settings, _number(query, "partition"), _number(query, "offset"))
    return [] if one is None or one.value is None else [one]


def _number(query: Any, name: str) -> int:
    text = str(query.get(name, ""))
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{name} is a number: give partition and offset")
    return int(text)


def _shown(record: ConsumerRecord) -> JsonObject:
    meta = headers.read(dict(record.headers))
    event = _event(record.value)
    return {
        "partition": record.partition,
        "offset": record.offset,
        "at": iso(record.timestamp),
        "receivedAt": iso(meta.received_at) if meta.received_at is not None else None,
        "key": record.key.decode("utf-8", "replace") if record.key is not None else None,
        "eventId": newest.event_id_of(record),
        "kind": kind_of(event),
        "replayed": meta.replayed,
        "event": masked(event),
    }


def _event(value: bytes) -> Any:
    """The event, or its bytes as text where they are none."""
    try:
        return parse(value)
    except MalformedEventError:
        return value[:10_000].decode("utf-8", "replace")
