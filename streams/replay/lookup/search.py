"""This module looks for an event, or all of an interaction, in the topics of the flow, the newest first.

Records carry the event's id as a header and the interaction as their key. A key has one partition, so an interaction is
looked for there alone; an event's id is first looked for everywhere, and the rest of its story in its key's partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds
from processors.event import headers
from processors.event.headers import Origin
from processors.event.kind import kind_of
from processors.event.strict_json import JsonObject, object_or_empty
from processors.replay.redrive import failed_id
from processors.replay.redrive_notes import Note
from processors.replay.selection import Span
from processors.replay.story import FoundRecord, Topic
from processors.routes.routes import Raw
from settings import Settings
from streams.delivery.packed_producer import partition_of
from streams.replay.lookup import newest
from streams.replay.lookup.backwards import WAIT_MS, BackwardLook, Budget
from streams.topology import REDRIVEN

#: Where an event can stand.
WHERE: tuple[Topic, ...] = ("raw", "validated", "failures")

#: Seconds that a look through a topic may take.
MAX_SECONDS = 5.0

#: What is written of an event stands no earlier than it does in `raw`, but for what the clocks differ by (ms).
MARGIN_MS = 60_000

#: Records that are kept: an interaction of more has more story than anybody reads.
MAX_FOUND = 400

#: Events of `raw` that are read one by one, by the places that what came of them names.
MAX_ORIGINS = 20


@dataclass(slots=True)
class Search:
    """What a look for an id found. `complete`: each topic was looked through to its beginning, or that of the span.

    `since_ms`: from when on every topic was looked through; `kept_ms`: of each topic whose older records Kafka has
    deleted, the time of the oldest that there is; `values`: the events of `raw`, as far as there is room for them.
    """

    found: list[FoundRecord] = field(default_factory=list)
    read: int = 0
    complete: bool = True
    since_ms: int | None = None
    kept_ms: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    values: dict[Origin, Raw] = field(default_factory=dict)


class Tracer:
    """Looks for one id within a span."""

    #: Records that are looked through in each topic at most, and bytes of events that are kept, to be tried on routes.
    max_read, max_bytes = 60_000, 4 * 1024 * 1024

    def __init__(self, settings: Settings, span: Span) -> None:
        self._settings, self._span = settings, span
        self._known: Mapping[str, int] = {}

    async def trace(self, ident: str, key: str | None = None) -> Search:
        """All records of an interaction, or of an event; `key` is the event's where it is known. Raises RangeError."""
        self._known = await partition_counts(self._settings)
        search = await self._by_key(key or ident, ident)
        if not search.found and key is None:
            search = await self._everywhere(ident)
        await self._origins(search, ident)
        if search.found:
            search.notes = await self._notes({one.event_id for one in search.found})
        return search

    async def _by_key(
        self, key: str, ident: str, since_ms: int | None = None, raw: frozenset[int] = frozenset()
    ) -> Search:
        """`raw`: partitions of `raw` where the key is known to stand, beside its own.

        Who writes to `raw` may divide keys among partitions in a way of his own: what came of an event tells where.
        """
        span = self._span if since_ms is None else Span(max(since_ms, self._span.since or 0), self._span.until)
        search, own = Search(), {topic: self._partition(topic, key) for topic in WHERE}
        places = {topic: {own[topic], *(raw if topic == "raw" else ())} for topic in WHERE}
        await asyncio.gather(*(self._search(search, topic, ident, places[topic], span) for topic in WHERE))
        more = _origins(search.found, self._settings.topic("raw")) - places["raw"]
        if more:
            await self._search(search, "raw", ident, more, span)
        return search

    async def _everywhere(self, ident: str) -> Search:
        """By the event's id in all partitions; once its key is known the rest of its story is looked for by that."""
        search = Search()
        for topic in WHERE:
            await self._search(search, topic, ident, (), self._span, only_first=True)
            if search.found:
                first = search.found[0]
                raw = frozenset({first.place.partition} if topic == "raw" else ())
                return await self._by_key(first.key, ident, _begin(first), raw)
        return search

    async def _origins(self, search: Search, ident: str) -> None:
        """Read what records came from at its very place, where the look did not come so far."""
        known = {one.place for one in search.found}
        name = self._settings.topic("raw")
        places = {one.meta.origin for one in search.found if one.meta.origin is not None} - known
        missing = sorted((one for one in places if one.topic == name), key=str)[:MAX_ORIGINS]
        if not missing or name not in self._known:
            return
        async with open_reader(self._settings, name, self._known, wait_ms=WAIT_MS) as reader:
            for place in missing:
                record = await reader.one(place.partition, place.offset)
                if record is not None and record.timestamp in self._span:
                    self._take(search, "raw", record, ident)

    def _partition(self, topic: Topic, key: str) -> int:
        return partition_of(key.encode(), self._known.get(self._settings.topic(topic), 1))

    async def _search(
        self, search: Search, topic: Topic, ident: str, places: Collection[int], span: Span, *, only_first: bool = False
    ) -> None:
        """Look through some partitions, or through all."""
        name = self._settings.topic(topic)
        if name not in self._known:
            return
        async with open_reader(self._settings, name, self._known, wait_ms=WAIT_MS) as reader:
            bounds = RangeBounds(span, tuple(sorted(places)))
            look = BackwardLook(reader, bounds, Budget.of(self.max_read, MAX_SECONDS))
            keep = lambda record: _match(topic, record, ident) is not None  # noqa: E731
            async with aclosing(look.slices(keep)) as slices:
                async for part in slices:
                    for record in part:
                        self._take(search, topic, record, ident)
                    if (only_first and search.found) or len(search.found) >= MAX_FOUND:
                        break
        _conclude(search, topic, look)

    def _take(self, search: Search, topic: Topic, record: ConsumerRecord, ident: str) -> None:
        found = _match(topic, record, ident)
        if found is None or len(search.found) >= MAX_FOUND:
            return
        search.found.append(found)
        if topic == "raw" and sum(len(one.value or b"") for one in search.values.values()) < self.max_bytes:
            received_at = found.meta.received_at or record.timestamp
            search.values[found.place] = Raw(record.value, found.meta.event_id, received_at=received_at)

    async def _notes(self, events: set[str]) -> list[Note]:
        """The notes of redrives of these events."""
        name = self._settings.topic(REDRIVEN)
        if name not in self._known:
            return []
        found = []
        async with open_reader(self._settings, name, self._known, wait_ms=WAIT_MS) as reader:
            look = BackwardLook(reader, RangeBounds(self._span), Budget.of(self.max_read, MAX_SECONDS))
            async for part in look.slices():
                read = (Note.decode(record.value) for record in part)
                found += [note for note in read if note is not None and note.place.identity in events]
        return found


def _origins(found: Iterable[FoundRecord], raw: str) -> set[int]:
    """The partitions of `raw` that records came from."""
    return {one.meta.origin.partition for one in found if one.meta.origin is not None and one.meta.origin.topic == raw}


def _begin(found: FoundRecord) -> int | None:
    """From when on the story of a found event can be; None where it may have begun at any time before."""
    is_first = found.topic == "raw" and found.meta.replayed is None
    return found.at_ms - MARGIN_MS if is_first else None


def _conclude(search: Search, topic: Topic, look: BackwardLook) -> None:
    search.read += look.read
    search.complete = search.complete and look.complete
    if look.since_ms is not None and not look.complete:
        search.since_ms = max(look.since_ms, search.since_ms or 0)
    if look.kept_ms is not None:
        search.kept_ms[topic] = look.kept_ms


def _match(topic: Topic, record: ConsumerRecord, ident: str) -> FoundRecord | None:
    """The record, when it names the id: by its key, its header or what it holds."""
    meta = headers.read(dict(record.headers))
    key = record.key.decode("utf-8", "replace") if record.key is not None else ""
    event_id, failure = meta.event_id, cast(JsonObject, {})
    if topic == "failures":
        failure = object_or_empty(record.value)
        event_id = failed_id(failure, meta)
    if topic == "raw":
        event_id = newest.event_id_of(record)
    if ident not in (key, event_id):
        return None
    place = Origin(record.topic, record.partition, record.offset)
    what = kind_of(object_or_empty(record.value)) if topic == "raw" else ""
    meta = meta._replace(original=None)
    return FoundRecord(topic, place, record.timestamp, key, event_id or "", meta, what, _without_bodies(failure))


def _without_bodies(failure: JsonObject) -> JsonObject:
    return {name: value for name, value in failure.items() if name not in ("originalEvent", "transformedEvent")}
