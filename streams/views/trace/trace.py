"""This module tells the story of an event or an interaction, whichever worker is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, get_args

import structlog
from aiokafka.errors import KafkaError
from faust.web import Request, Response, View

from clients.kafka.group import committed
from clients.kafka.ranges import RangeError
from processors.delivery.publications import Publication
from processors.event.formats import iso
from processors.event.headers import Origin
from processors.event.strict_json import JsonObject
from processors.event.trace_context import event_of
from processors.replay.period import Period
from processors.replay.selection import Span
from processors.replay.story import Facts, Topic, story
from processors.routes.routes import Encoded, Raw
from streams.app import app
from streams.replay.lookup.search import Search, Tracer
from streams.routes.sandbox.child_process import SandboxError
from streams.views.common.answers import RefusedError, asked_period, refusing
from streams.views.common.concurrency import lookups
from streams.views.trace.gaps import gaps_of
from streams.views.trace.publications import publications_of

log = structlog.get_logger(__name__)

#: Events of a story that are tried on the routes of now, to tell what left them.
MAX_TRIED = 50

#: A gap this near to a story belongs to it (ms): what is missing may have been in it.
NEAR_MS = 60_000

MAX_ID = 256


@app.page("/api/trace/{ident}/")
class Trace(View):
    """By the id of an event, of its trace, of a conversation, or EventBridge's own of an entry that was put lately."""

    async def get(self, request: Request, ident: str) -> Response:
        """`{"id", "kind", "key", "events", "steps": [{at, kind, …}], "complete", "searchedSince", "kept"}`.

        `key`: the conversation, where it is known, so that one partition is looked through; `range`, or `from` and
        `to`. What is not `complete` was looked through from `searchedSince` on; ask again with that as `to`.
        """
        asked = asked_period(request.query)
        if len(ident) > MAX_ID:
            raise RefusedError("bad request", "no id is that long", 400)
        with lookups.turn(), refusing("unavailable", 503, RangeError):
            return self.json(await _traced(ident, request.query.get("key"), asked))


async def _traced(ident: str, key: str | None, asked: Period | None) -> JsonObject:
    ident = event_of(ident) or ident
    known, unheard = await publications_of([ident])
    entry = next((one for one in known if one.entry_id == ident), None)
    span = Span(asked.since or None, asked.until) if asked is not None else Span()
    wanted = entry.event_id if entry is not None and entry.event_id else ident
    search = await Tracer(app.settings, span).trace(wanted, key)
    events = sorted({one.event_id for one in search.found if one.event_id})
    if set(events) - {ident}:
        known, unheard = await publications_of(events)
    steps = story(search.found, await _facts(search, known))
    keys = sorted({one.key for one in search.found if one.key})
    kind = "entry" if entry is not None else "conversation" if ident in keys and ident not in events else "event"
    return {
        "id": ident,
        "kind": kind if search.found else None,
        "key": keys[0] if len(keys) == 1 else None,
        "events": events,
        "steps": steps,
        "complete": search.complete,
        "searchedSince": None if search.since_ms is None else iso(search.since_ms),
        "kept": {topic: iso(at_ms) for topic, at_ms in search.kept_ms.items()},
        "read": search.read,
        "unheard": unheard,
    }


async def _facts(search: Search, publications: list[Publication]) -> Facts:
    if not search.found:
        return Facts()
    moments = [one.at_ms for one in search.found]
    near = Period(max(0, min(moments) - NEAR_MS), max(moments) + NEAR_MS)
    return Facts(
        committed=await _committed(search),
        publications=publications,
        notes=search.notes,
        gaps=await gaps_of(near),
        tried=await _tried(search.values),
    )


async def _committed(search: Search) -> Mapping[tuple[Topic, int], int]:
    """What the group has committed on the partitions of the records; nothing where Kafka does not say."""
    names: dict[str, Topic] = {app.settings.topic(topic): topic for topic in get_args(Topic)}
    places = {(one.place.topic, one.place.partition) for one in search.found}
    try:
        async with asyncio.timeout(5):
            found = await committed(app.settings, places)
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("Kafka does not say what is committed", error=type(error).__name__)
        return {}
    return {(names[topic], partition): offset for (topic, partition), offset in found.items()}


async def _tried(values: Mapping[Origin, Raw]) -> Mapping[Origin, Mapping[str, str]]:
    """What the routes of now make of events, in the words of an outcome; nothing where no mapping process runs."""
    chosen = dict(list(values.items())[:MAX_TRIED])
    try:
        answers = await app.sandboxes.sandbox("simulate").apply(list(chosen.values()))
    except SandboxError as error:
        log.warning("what the routes would make of an event is not told", error=str(error))
        return {}
    found: dict[Origin, Mapping[str, str]] = {}
    for place, answer in zip(chosen, answers, strict=True):
        outcomes: dict[str, Any] = {route.name: "filtered" for route in app.routes}
        outcomes |= {one.route or "": "mapped" if isinstance(one, Encoded) else "failed" for one in answer.outcomes}
        found[place] = outcomes
    return found
