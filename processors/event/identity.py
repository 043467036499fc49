"""This module reads bytes as an event and tells its identity.

An event is one JSON object: a stream event of the HTTP subscription, or a notification envelope with
`topicName` and `eventBody`. What cannot be carried to EventBridge unchanged is refused here, as a whole.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object

#: Namespace of event ids; changing it changes the id of every event on every replay.
EVENT_NAMESPACE = uuid.UUID("5f0c4a0e-7a3c-5d0e-9b62-3f6d0a8f1c55")


#: An id inside a topic's name.
ANY_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_CONVERSATION_TOPIC = re.compile(r"\.conversations?\.([0-9a-fA-F-]{36})(?:\.|$)")


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded event. `key` is the interaction (conversation) id, `event_id` a UUID in text form."""

    body: JsonObject
    key: str
    event_id: str


def decode(value: bytes | None, event_id: str | None = None) -> Event:
    """Read one record's value. `event_id`: the id given by the source, when it gave one.

    Raises MalformedEventError for bytes that are not one JSON object, nest deeper than 200 levels
    or hold an integer beyond int64 (PutEvents refuses such a Detail, and no JSON reader agrees on it).
    """
    if not value:
        raise MalformedEventError("the record has no value")
    return identify(parse_object(value), event_id)


def identify(body: JsonObject, event_id: str | None = None) -> Event:
    """Give a decoded event its key and its id."""
    identity = event_id if event_id and is_uuid(event_id) else derive_event_id(body)
    return Event(body, interaction_id(body) or identity, identity)


def derive_event_id(body: JsonObject) -> str:
    """UUIDv5 of the source event: the same on every retry, redelivery and replay.

    Of a notification only topic and body count: redelivered ones differ in `metadata.CorrelationId`. A state that a
    conversation came back to may have the body of the first time: then the time counts too that we gave it.
    """
    source: Any = body
    if "topicName" in body and "eventBody" in body:
        source = [body["topicName"], body["eventBody"]]
        metadata = body.get("metadata")
        if body.get("backfilled") is True and isinstance(metadata, dict):
            source.append(metadata.get("moment"))
        if "again" in body:
            source.append(body["again"])
    canonical = orjson.dumps(source, option=orjson.OPT_SORT_KEYS)
    return str(uuid.uuid5(EVENT_NAMESPACE, canonical.decode()))


def interaction_id(body: JsonObject) -> str | None:
    """Interaction or conversation id, which keys every topic; None when the event names none."""
    event_body = body.get("eventBody")
    if "topicName" in body and isinstance(event_body, dict):
        named = event_body.get("conversationId") or event_body.get("id")
        in_topic = _CONVERSATION_TOPIC.search(str(body["topicName"]))
        candidate = in_topic.group(1) if in_topic else named
    else:
        candidate = body.get("id")
    return candidate if isinstance(candidate, str) and 0 < len(candidate) <= 256 else None


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its canonical 36 characters (any version)."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
