"""This module makes up for a gap: conversations of the analytics query become the snapshots that were missed.

The query (POST /api/v2/analytics/conversations/details/query) tells each participant's sessions and segments
with their times. Every segment that begins or ends inside the gap changed the conversation, so for each such
moment one snapshot is made in the shape of the topic that missed it, marked `backfilled: true`, with that moment in
its metadata. A snapshot holds nothing later than its moment: asking again gives the same bytes, and so the same event
id.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from processors.event.formats import iso
from processors.event.identity import ANY_ID
from processors.event.strict_json import JsonObject
from processors.genesys.analytics.changes import changes, of_medium
from processors.genesys.analytics.conversation import MEDIA, STATES, AnalyticsConversation, Party, Session
from processors.genesys.interval import Interval, epoch_ms_of
from processors.genesys.legs import MEDIA as MEDIUM_OF
from processors.genesys.states import Change

#: Names of topic variants by medium that differ from the array's name.
VARIANTS = {"cobrowsesessions": "cobrowseSessions"}

EVER = Interval(0, 2**53)

_BY_MEDIUM = "|".join(VARIANTS.get(medium, medium) for medium in MEDIA.values())
_MADE = re.compile(rf"v2\.(?:routing\.queues|users)\.[^.]+\.conversations(?:\.(?:{_BY_MEDIUM}))?")


def beyond(topics: Iterable[str]) -> list[str]:
    """The kinds of topics of which the query tells nothing, with `{id}` for each id; sorted."""
    return sorted({ANY_ID.sub("{id}", topic) for topic in topics if not _MADE.fullmatch(topic)})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot made; the conversation was so from `moment_ms` to `until_ms` (epoch ms), or still is (None).

    `change`: what changed then, as far as that can be told; `since_ms`: from when on steps are told.
    """

    envelope: JsonObject
    moment_ms: int
    until_ms: int | None
    change: Change | None = None
    since_ms: int | None = None


def backfilled_moment(envelope: JsonObject) -> int | None:
    """The time (epoch ms) at which a backfilled snapshot was so; None for what came live."""
    metadata = envelope.get("metadata")
    if envelope.get("backfilled") is not True or not isinstance(metadata, dict):
        return None
    return epoch_ms_of(metadata.get("moment"))


def snapshots(
    conversation: JsonObject, interval: Interval, topics: Container[str], unheard: Collection[Interval] = ()
) -> Iterator[Snapshot]:
    """All snapshots that `topics` should have brought in the interval, in the order of time.

    `topics` as they arrive, not combined; of them, queues' and users' `.conversations` and its variants by
    medium can be made. What is not shaped as documented is left out. `unheard`: when nobody listened.
    """
    known = AnalyticsConversation.from_json(conversation)
    if known is None:
        return
    every = known.moments(EVER)
    following = dict(pairwise(every))
    changed = changes(known, every, unheard)
    for moment in known.moments(interval):
        parties = [party for party in known.parties if party.begins_ms <= moment]
        for place in _places(parties, moment):
            for envelope, medium in _envelopes(known, parties, place, moment, topics):
                change = of_medium(changed[moment], medium)
                yield Snapshot(envelope, moment, following.get(moment), change, interval.start_ms)


def _places(parties: Iterable[Party], moment: int) -> list[str]:
    """The queues and users whose topics see the conversation by then, each once."""
    places: dict[str, None] = {}
    for party in parties:
        if queue := party.queue(moment):
            places[f"v2.routing.queues.{queue}"] = None
        if isinstance(user := party.body.get("userId"), str):
            places[f"v2.users.{user}"] = None
    return list(places)


def _envelopes(
    conversation: AnalyticsConversation, parties: list[Party], place: str, moment: int, topics: Container[str]
) -> Iterator[tuple[JsonObject, str | None]]:
    """Each with the medium that it tells alone."""
    topic = f"{place}.conversations"
    if topic in topics:
        yield _envelope(conversation, topic, moment, [_flat(party, moment) for party in parties]), None
    live = [(party, session) for party in parties for session in party.live(moment)]
    for medium in sorted({session.medium for _, session in live}):
        variant = f"{topic}.{VARIANTS.get(medium, medium)}"
        if variant in topics:
            people = [_nested(party, session, moment) for party, session in live if session.medium == medium]
            yield _envelope(conversation, variant, moment, people), MEDIUM_OF[medium]


def _envelope(
    conversation: AnalyticsConversation, topic: str, moment: int, participants: list[JsonObject]
) -> JsonObject:
    body: JsonObject = {"id": conversation.id, "participants": participants}
    for field, source in (("startTime", "conversationStart"), ("endTime", "conversationEnd")):
        time = epoch_ms_of(conversation.body.get(source))
        if time is not None and time <= moment:
            body[field] = iso(time)
    metadata = {"moment": iso(moment)}
    return {"topicName": topic, "version": "2", "eventBody": body, "metadata": metadata, "backfilled": True}


def _flat(party: Party, moment: int) -> JsonObject:
    """As in `….conversations`: flat ids, and one array of communications for each medium."""
    sessions = party.live(moment)
    body = _person(party, sessions, moment)
    if queue := party.queue(moment):
        body["queueId"] = queue
    if isinstance(user := party.body.get("userId"), str):
        body["userId"] = user
    for session in sessions:
        ident = session.body.get("sessionId")
        body.setdefault(session.medium, []).append({"id": ident, **_communication(session, moment)})
    return body


def _nested(party: Party, session: Session, moment: int) -> JsonObject:
    """As in `….conversations.calls` and its like: one participant for each session of the medium, ids nested."""
    body = _person(party, [session], moment) | _communication(session, moment)
    body["startTime"] = iso(session.segments[0].start_ms)
    if queue := party.queue(moment):
        body["queue"] = {"id": queue}
    if isinstance(user := party.body.get("userId"), str):
        body["user"] = {"id": user}
    return body


def _person(party: Party, sessions: list[Session], moment: int) -> JsonObject:
    """What a participant is in both shapes. Its priority is known only where the session tells it."""
    body: JsonObject = {"id": party.body.get("participantId"), "purpose": party.body.get("purpose")}
    if isinstance(name := party.body.get("participantName"), str):
        body["name"] = name
    connected = [
        segment.start_ms for session in sessions for segment in session.begun(moment) if segment.kind not in STATES
    ]
    if connected:
        body["connectedTime"] = iso(min(connected))
    ends = [session.ended(moment) for session in sessions]
    times = [end for end in ends if end is not None]
    if times and len(times) == len(ends):
        body["endTime"] = iso(max(times))
    body |= _after_work(sessions, moment)
    routing = _routing(party, moment)
    return body | {"conversationRoutingData": routing} if routing else body


def _after_work(sessions: list[Session], moment: int) -> JsonObject:
    """After-call work and the code given, as far as they go by then."""
    work = [one for session in sessions for one in session.begun(moment) if one.kind == "wrapup"]
    body: JsonObject = {"startAcwTime": iso(work[0].start_ms)} if work else {}
    end_ms = work[-1].end_ms if work else None
    if end_ms is not None and end_ms <= moment:
        body["endAcwTime"] = iso(end_ms)
    codes = [code for session in sessions if (code := session.wrap_up(moment))]
    return body | {"wrapup": {"code": codes[-1]}} if codes else body


def _routing(party: Party, moment: int) -> JsonObject:
    if party.body.get("purpose") != "acd":
        return {}
    queue = party.queue(moment)
    routing: JsonObject = {"queue": {"id": queue}} if queue else {}
    priorities = [session.body.get("routingPriority") for session in party.live(moment)]
    known = [priority for priority in priorities if isinstance(priority, int)]
    return routing | {"priority": known[-1]} if known else routing


def _communication(session: Session, moment: int) -> dict[str, Any]:
    begun = session.begun(moment)
    state, is_over = session.state(moment), session.state(moment) == "terminated"
    if is_over and session.medium != "calls":
        state = "disconnected"  # as snapshots of all media but voice name it
    body: dict[str, Any] = {"state": state, "held": state == "connected" and begun[-1].kind == "hold"}
    if body["held"]:
        body["startHoldTime"] = iso(begun[-1].start_ms)
    for field in ("direction", "provider"):
        if isinstance(value := session.body.get(field), str):
            body[field] = value
    whys = [why for one in begun if isinstance(why := one.body.get("disconnectType"), str)]
    if is_over and whys:  # after-call work does not tell it
        body["disconnectType"] = whys[-1].lower()
    return body
