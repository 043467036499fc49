"""This module reads bytes as an event and tells its identity.

An event is one JSON object: a stream event of the HTTP subscription, or a notification envelope with
`topicName` and `eventBody`. What cannot be carried to EventBridge unchanged is refused here, as a whole.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from processors.event.errors import MalformedEventError
from processors.event.strict_json import LONG_INTEGER, JsonObject, big_integers, has_digits, parse_object

#: Namespace of event ids; changing it changes the id of every event on every replay.
EVENT_NAMESPACE = uuid.UUID("5f0c4a0e-7a3c-5d0e-9b62-3f6d0a8f1c55")


#: Field of a notification that says when it was received (epoch ms); it is no part of its identity.
RECEIVED_AT = "receivedAt"

#: An id inside a topic's name.
ANY_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_CONVERSATION_TOPIC = re.compile(r"\.conversations?\.(?:chats\.)?([0-9a-fA-F-]{36})(?:\.|$)")

#: Snapshots of a conversation: of them, and of no other topic, `eventBody.id` is the conversation.
SNAPSHOT_TOPIC = re.compile(r"v2\.(?:routing\.queues|users)\.[^.]+\.conversations(?:\.[A-Za-z]+)?")

#: The body's own id says more than the id in the topic, which names what the object belongs to.
_CONTAINER_TOPIC = re.compile(
    r"v2\.(?:taskmanagement\.workitems\.(?:queues|users)|contentmanagement\.workspaces|operations\.events)\."
)

#: Topics of what belongs to a conversation that the body names as an object: chat messages, recordings.
_OF_CONVERSATION_TOPIC = re.compile(r"\.(?:conversations?\.|userrecordings$)")

#: A part of a topic's name that is an id: its words are made of letters alone.
_ID_PART = re.compile(r"\.([^.]*[0-9-][^.]*)")


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """One decoded event. `key` is the interaction (conversation) id, `event_id` a UUID in text form.

    `big_integers`: its integers that are no double, by the double that an engine makes of them.
    """

    body: JsonObject
    key: str
    event_id: str
    big_integers: Mapping[float, int] = field(default_factory=dict)


def event_of_bytes(value: bytes | None, event_id: str | None = None, received_at: int | None = None) -> SourceEvent:
    """Read one record's value. `event_id`: the id given by the source, when it gave one.

    `received_at` (epoch ms): when the record came, for a notification that does not say so itself.
    Raises MalformedEventError for bytes that are not one JSON object, nest deeper than 200 levels
    or hold an integer beyond int64 (PutEvents refuses such a Detail, and no JSON reader agrees on it).
    """
    if not value:
        raise MalformedEventError("the record has no value")
    body = parse_object(value)
    return _identified(body, event_id, received_at, big_integers(body) if has_digits(value, LONG_INTEGER) else {})


def identify(body: JsonObject, received_at: int | None = None) -> SourceEvent:
    """Give a decoded event its key and its id; the envelope of an integration is taken off."""
    return _identified(body, None, received_at, big_integers(body))


def _identified(
    body: JsonObject, event_id: str | None, received_at: int | None, integers: Mapping[float, int]
) -> SourceEvent:
    body = unwrapped(body)
    if received_at is not None and is_notification(body) and RECEIVED_AT not in body:
        body = {**body, RECEIVED_AT: received_at}
    identity = event_id if event_id and is_uuid(event_id) else derive_event_id(body)
    return SourceEvent(body, interaction_id(body) or identity, identity, integers)


def is_notification(body: JsonObject) -> bool:
    """Whether an event has the shape of a notification: `{topicName, eventBody, …}`."""
    return isinstance(body.get("topicName"), str) and "eventBody" in body


def unwrapped(body: JsonObject) -> JsonObject:
    """The notification inside the envelope of Genesys' own EventBridge integration; any other event as it is.

    The envelope is EventBridge's (`{"detail-type", "source", "time", "detail": …}`): the notification is its detail.
    """
    detail = body.get("detail")
    if "detail-type" in body and "topicName" not in body and isinstance(detail, dict) and is_notification(detail):
        return detail
    return body


def derive_event_id(body: JsonObject) -> str:
    """UUIDv5 of the source event: the same on every retry, redelivery and replay.

    Of a notification only topic and body count: redelivered ones differ in `metadata.CorrelationId`. A state that a
    conversation came back to may have the body of the first time: then the time counts too that we gave it. A step that
    was derived has the id of the step, however it was learned.
    """
    source: Any = body
    if body.get("derived") is True and (step := derived_step(body)):
        return step
    if "topicName" in body and "eventBody" in body:
        source = [body["topicName"], body["eventBody"]]
        metadata = body.get("metadata")
        if body.get("backfilled") is True and isinstance(metadata, dict):
            source.append(metadata.get("moment"))
        if "again" in body:
            source.append(body["again"])
    return uuid5(EVENT_NAMESPACE, orjson.dumps(source, option=orjson.OPT_SORT_KEYS))


def uuid5(namespace: uuid.UUID, name: bytes) -> str:
    """`uuid.uuid5` as text, at a fifth of its cost (RFC 9562, 5.5)."""
    digest = hashlib.sha1(namespace.bytes + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def derived_step(body: JsonObject) -> str | None:
    """The id of the step that a derived event tells (processors/genesys/steps/derive.py)."""
    metadata = body.get("metadata")
    ident = metadata.get("stepId") if isinstance(metadata, dict) else None
    return ident if isinstance(ident, str) and is_uuid(ident) else None


def interaction_id(body: JsonObject) -> str | None:
    """What keys the event in every topic: its interaction or conversation, else the object that it tells of."""
    if "topicName" not in body or not isinstance(body.get("eventBody"), dict):
        return _id(body.get("id"))
    return conversation_id(body) or _object_id(str(body["topicName"]), body["eventBody"])


def conversation_id(body: JsonObject) -> str | None:
    """The conversation that a notification tells of; None for other events."""
    event_body = body.get("eventBody")
    if "topicName" not in body or not isinstance(event_body, dict):
        return None
    topic = str(body["topicName"])
    if in_topic := _CONVERSATION_TOPIC.search(topic):
        return in_topic.group(1)
    conversation = event_body.get("conversation")
    nested = conversation.get("id") if isinstance(conversation, dict) and _OF_CONVERSATION_TOPIC.search(topic) else None
    own = event_body.get("id") if SNAPSHOT_TOPIC.fullmatch(topic) else None
    return _id(event_body.get("conversationId")) or _id(nested) or _id(own)


def _object_id(topic: str, event_body: JsonObject) -> str | None:
    """What a notification without a conversation tells of: a user, a queue, a work item, a campaign's contact."""
    ids = _ID_PART.findall(topic.removeprefix("v2"))
    own = _id(event_body.get("id")) or _id(event_body.get("entityId"))
    if own and _CONTAINER_TOPIC.match(topic):
        return own
    others = (event_body.get(name) for name in ("outboundContactId", "id", "requestId", "channelId"))
    candidates = (_id(candidate) for candidate in (*reversed(ids), *others, topic))
    return next((candidate for candidate in candidates if candidate), None)


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 256 else None


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its canonical 36 characters (any version)."""
    return ANY_ID.fullmatch(text) is not None
