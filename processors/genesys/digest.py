"""This module says what an event tells of its conversation: which medium, queue and user, who takes part in what state.

A single step (`….acd.start`, a transcript, a chat message) is told whole, under the names that Genesys gives its
fields. A snapshot is told in short: its participants, and what concerns the queue or the user that its topic names.
Every field may be missing, one that is null counts as missing, and none is in the result that is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from processors.event.formats import instant, time_text
from processors.event.members import member, objects, value_at
from processors.event.strict_json import JsonObject
from processors.genesys.legs import ENDED, participant_user, wrapped_up

#: Lists of communications of a participant -> their medium, in the order in which the first that holds something is
#: the conversation's: a callback before the call that is made for it, a call before the screen shared in it.
MEDIA = {
    "callbacks": "callback",
    "calls": "voice",
    "chats": "chat",
    "emails": "email",
    "messages": "message",
    "internalMessages": "internalmessage",
    "socialExpressions": "social",
    "videos": "video",
    "cobrowsesessions": "cobrowse",
    "screenshares": "screenshare",
    "screenMonitorings": "screenmonitoring",
}
_VARIANTS = {name.lower(): name for name in MEDIA}
_PREFIX = re.compile(r"v2\.(?:(?:routing\.queues|users|detail\.events\.conversation|conversations)\.)?")
_ID_PART = re.compile(r"\.[^.]*[0-9-][^.]*")


@dataclass(frozen=True, slots=True)
class _TopicName:
    """What a topic's name says: the type of its events, whose they are, and the list of its one medium."""

    event_type: str
    queue: str | None
    user: str | None
    medium_list: str | None

    @classmethod
    def of(cls, name: str) -> _TopicName:
        """`v2.routing.queues.ID.conversations.calls` is `conversations.calls`; ids are no part of a type."""
        parts = name.split(".")
        event_type = _PREFIX.sub("", _ID_PART.sub("", name), count=1)
        queue = parts[3] if parts[1:3] == ["routing", "queues"] and len(parts) > 4 else None
        user = parts[2] if parts[1:2] == ["users"] and len(parts) > 3 else None
        return cls(event_type, queue, user, _VARIANTS.get(event_type.lower().removeprefix("conversations.")))


def digest(body: JsonObject) -> JsonObject:
    """What a notification tells of its conversation; empty for another event."""
    event_body = body.get("eventBody")
    if not isinstance(event_body, dict) or not isinstance(body.get("topicName"), str):
        return {}
    topic = _TopicName.of(body["topicName"])
    if not isinstance(event_body.get("participants"), list):
        return _step(topic, body, event_body)
    return _snapshot(topic, body, event_body, objects(event_body, "participants"))


def _step(topic: _TopicName, body: JsonObject, event_body: JsonObject) -> JsonObject:
    queue = _first(topic.queue, event_body.get("queueId"), value_at(body, "queue", "id"))
    known = {
        "eventType": topic.event_type,
        "mediaType": _lower(event_body.get("mediaType")) or MEDIA.get(topic.medium_list or ""),
        "direction": _lower(event_body.get("direction")),
        "priority": _present(event_body.get("routingPriority"), event_body.get("priority")),
        "queueId": queue,
        "queueName": _queue_name(body, queue) or event_body.get("queueName"),
        "userId": _first(event_body.get("userId"), topic.user),
    }
    whole = {name: value for name, value in event_body.items() if name not in ("eventTime", "participants", *known)}
    whole = _without_nulls(whole)
    return {name: value for name, value in {**whole, **known}.items() if value is not None}


def _snapshot(topic: _TopicName, body: JsonObject, event_body: JsonObject, people: list[JsonObject]) -> JsonObject:
    medium_list = topic.medium_list or next((name for name in MEDIA if any(_talks(one, name) for one in people)), None)
    parties = [_party(person, medium_list) for person in people]
    mine = [party for party in parties if topic.user and party.get("userId") == topic.user]
    queue = _first(topic.queue, event_body.get("queueId"), _last_queue(mine), value_at(body, "queue", "id"))
    queue = queue or _last_queue(parties)
    ours = mine if topic.user else _of_queue(parties, queue)
    acd = _acd(people, queue)
    routing = member(acd, "conversationRoutingData")
    known = {
        "eventType": topic.event_type,
        "mediaType": MEDIA.get(medium_list or ""),
        "direction": _lower(_first(*(party.get("direction") for party in parties))),
        "state": _state(mine, parties),
        "queueId": queue,
        "queueName": _queue_name(body, queue) or acd.get("name"),
        "priority": routing.get("priority"),
        "requestedRoutingSkillIds": [skill["id"] for skill in objects(routing, "skills") if skill.get("id")],
        "requestedLanguageId": value_at(routing, "language", "id"),
        "userId": topic.user,
        "participantId": mine[-1].get("id") if mine else None,
        "sessionId": mine[-1].get("sessionId") if mine else None,
        "divisionId": _division(event_body),
        "recordingState": event_body.get("recordingState"),
        "externalTag": event_body.get("externalTag"),
        "participants": parties,
        **_addresses(people),
        **_wrapup(ours),
    }
    return _there(known)


def _party(person: JsonObject, medium_list: str | None) -> JsonObject:
    """A participant. In topics of one medium it is its own communication, else its newest of the medium counts."""
    is_own = isinstance(person.get("state"), str)
    talk = person if is_own else _newest(person, medium_list)
    known = {
        "id": person.get("id"),
        "purpose": person.get("purpose"),
        "userId": participant_user(person),
        "queueId": _queue(person),
        "consultParticipantId": person.get("consultParticipantId"),
        "externalContactId": _first(person.get("externalContactId"), value_at(person, "externalContact", "id")),
        "sessionId": None if is_own else talk.get("id"),
        "state": _lower(_first(talk.get("state"))),
        "held": talk.get("held"),
        "direction": talk.get("direction"),
        "disconnectType": talk.get("disconnectType"),
        "connectedTime": _time(talk.get("connectedTime"), person.get("connectedTime")),
        "endTime": _time(talk.get("disconnectedTime"), person.get("endTime")),
        "afterCallWork": _whole(member(talk, "afterCallWork")),
        "wrapup": _whole(member(person, "wrapup") or member(talk, "wrapup")),
        "attributes": _whole(member(person, "attributes")),
    }
    return _there(known)


def _newest(person: JsonObject, medium_list: str | None) -> JsonObject:
    """The newest communication that has not ended, or the newest; of another medium when there is none of this one."""
    talks = _talks(person, medium_list) or [talk for name in MEDIA for talk in _talks(person, name)]
    live = [talk for talk in talks if _lower(talk.get("state")) not in ENDED]
    return (live or talks or [{}])[-1]


def _state(mine: list[JsonObject], parties: list[JsonObject]) -> str | None:
    """The user's in a user's topic, else that of the newest participant who has not left, or of the newest."""
    live = [party for party in parties if party.get("state") and party["state"] not in ENDED]
    newest = (mine or live or parties)[-1:]
    return newest[0].get("state") if newest else None


def _last_queue(parties: list[JsonObject]) -> str | None:
    return next((party["queueId"] for party in reversed(parties) if "queueId" in party), None)


def _of_queue(parties: list[JsonObject], queue: str | None) -> list[JsonObject]:
    """Whom the queue's topic is about; where no other queue is told, those without one as well."""
    is_only = {party["queueId"] for party in parties if "queueId" in party} <= {queue}
    return [party for party in parties if party.get("queueId", queue if is_only else None) == queue]


def _acd(people: list[JsonObject], queue: str | None) -> JsonObject:
    """The participant that stands for the queue: a consultation or a transfer adds those of other queues."""
    acds = [person for person in people if person.get("purpose") == "acd"]
    own = [person for person in acds if _queue(person) == queue] or [one for one in acds if _queue(one) is None]
    return own[-1] if own else {}


def _queue(person: JsonObject) -> str | None:
    routed = value_at(person, "conversationRoutingData", "queue", "id")
    return _first(person.get("queueId"), value_at(person, "queue", "id"), routed)


def _queue_name(body: JsonObject, queue: str | None) -> str | None:
    named = member(body, "queue")
    return _first(named.get("name")) if named.get("id") == queue else None


def _division(event_body: JsonObject) -> str | None:
    divisions = (value_at(one, "division", "id") for one in objects(event_body, "divisions"))
    return _first(event_body.get("divisionId"), *divisions)


def _addresses(people: list[JsonObject]) -> JsonObject:
    """`ani` and `dnis`: of one medium they are told, else they stand in the customer's call (self and other)."""
    customers = [person for person in people if person.get("purpose") == "customer"]
    call = (_talks(customers[0], "calls") or [{}])[-1] if customers else {}
    own, other = (_address(member(call, side)) for side in ("self", "other"))
    caller, called = (other, own) if call.get("direction") == "outbound" else (own, other)
    anis, dnises = ([person.get(name) for person in people] for name in ("ani", "dnis"))
    return {"ani": _first(*anis, caller), "dnis": _first(*dnises, called)}


def _address(address: JsonObject) -> str | None:
    return _first(address.get("addressNormalized"), address.get("addressRaw"))


def _wrapup(ours: list[JsonObject]) -> JsonObject:
    """The newest wrap-up of whom the topic is about, as detail events name its fields."""
    given = [party["wrapup"] for party in ours if isinstance(value_at(party, "wrapup", "code"), str)]
    return wrapped_up(given[-1]) if given else {}


def _talks(person: JsonObject, medium_list: str | None) -> list[JsonObject]:
    return objects(person, medium_list) if medium_list else []


def _there(known: JsonObject) -> JsonObject:
    """Without what is missing or holds nothing."""
    return {name: value for name, value in known.items() if value is not None and value != [] and value != {}}


def _whole(part: JsonObject) -> JsonObject:
    """A part of a participant as it is, but for what is missing in it."""
    return _there(_without_nulls(part))


def _without_nulls(value: Any) -> Any:
    """At every depth."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


def _present(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _first(*values: Any) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _time(*values: Any) -> str | None:
    return next((time_text(moment) for value in values if (moment := instant(value)) is not None), None)


def _lower(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None
