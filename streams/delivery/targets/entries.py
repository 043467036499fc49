"""This module makes the entry of an event for its route's bus, with a claim check for what is too large."""

from __future__ import annotations

from collections.abc import Callable

from processors.delivery.custom_bus import custom_bus, system_metadata
from processors.delivery.entries import Entry, entry
from processors.event.headers import Meta
from processors.event.identity import derive_event_id
from processors.event.strict_json import JsonObject
from processors.event.trace_context import trace_header
from processors.routes.entry_limits import MAX_ENTRY_BYTES
from processors.routes.routes import Routes
from processors.routes.target import Offload
from streams.delivery.targets.offload import ClaimChecks


class EntryBuilder:
    """Makes entries for the bus of an event's route, by default `eventbus`, which takes `max_bytes` of one."""

    def __init__(self, routes: Callable[[], Routes], eventbus: str, max_bytes: int = MAX_ENTRY_BYTES) -> None:
        self._routes, self._eventbus, self._max_bytes = routes, eventbus, max_bytes

    def entry(self, mapped: JsonObject, meta: Meta, key: str) -> Entry:
        """The entry of a mapped event. Raises what a value that is none brings about."""
        route = self._routes().get(meta.route)
        named = route.texts.event_bus if route else None
        bus = meta.event_bus or named or self._eventbus
        known = meta.event_id or mapped.get("id")
        metadata = system_metadata(key, known, meta.route, meta.replayed) if custom_bus(bus) else None
        return entry(mapped, bus, metadata, trace_header(meta.traceparent))

    def offload(self, meta: Meta, whole: Entry) -> Offload | None:
        """Where the event's detail goes, if it is too large for the bus and its route says so."""
        route = self._routes().get(meta.route)
        offload = route.texts.offload if route else None
        return offload if offload and whole.size > min(offload.over or self._max_bytes, self._max_bytes) else None

    async def claimed(self, checks: ClaimChecks, offload: Offload, mapped: JsonObject, meta: Meta, key: str) -> Entry:
        """The entry with a claim check for its detail, once the bucket has that."""
        place = offload.key(str(meta.route), meta.event_id or derive_event_id(mapped))
        small, body = offload.claim(mapped, place)
        await checks.store(offload.bucket, place, body)
        return self.entry(small, meta, key)
