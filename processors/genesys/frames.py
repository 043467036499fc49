"""This module reads notification frames: what kind, whose conversation and queue, seen before or not.

Envelope of an event: `{topicName, version, eventBody, metadata}`. System frames share the socket: heartbeats
and pongs (`channel.metadata`), notices of the channel (`v2.system.…`), and replies, whose `result` is a string
(`"404"`: the channel is gone).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import orjson

from processors.event.errors import MalformedEventError
from processors.event.members import objects, value_at
from processors.event.strict_json import JsonObject, parse_object
from processors.genesys.legs import participant_queue, participant_user

#: Of the notices, `closing`: the socket will end; `gone`: the channel brings nothing any more; `revoked`: nor does
#: the token that it was made with; `notice`: any other.
FrameKind = Literal["event", "heartbeat", "pong", "closing", "gone", "revoked", "notice", "reply", "malformed"]

#: Results that can only be about the channel, as nothing but pings is sent: token, eviction, end of life.
GONE = frozenset({"401", "403", "404", "410"})

#: Notices by the beginning of their topic: real ones end in the channel's id (`….no_longer_subscribed.{channelId}`).
NOTICES: tuple[tuple[str, FrameKind], ...] = (
    ("v2.system.socket_closing", "closing"),
    ("v2.system.no_longer_subscribed", "gone"),
    ("no_longer_subscribed", "gone"),
    ("v2.system.token_revoked", "revoked"),
    ("v2.system.", "notice"),
    ("v2.subscription.", "notice"),
)

_USER_TOPIC = re.compile(r"v2\.users\.([^.]+)\.")
_QUEUE_TOPIC = re.compile(r"v2\.(?:routing|analytics)\.queues\.([^.]+)\.")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `envelope` is there unless it is malformed."""

    kind: FrameKind
    envelope: JsonObject | None = None

    @property
    def topic(self) -> str:
        """`topicName`, or an empty text."""
        name = self.envelope.get("topicName") if self.envelope else None
        return name if isinstance(name, str) else ""


def read_frame(value: bytes) -> Frame:
    """Tell what a frame is; bytes that are no event are `malformed`, for the pipeline to report."""
    try:
        envelope = parse_object(value)
    except MalformedEventError:
        return Frame("malformed")
    topic = envelope.get("topicName")
    if topic == "channel.metadata":
        return Frame("pong" if value_at(envelope, "eventBody", "message") == "pong" else "heartbeat", envelope)
    for beginning, kind in NOTICES:
        if isinstance(topic, str) and topic.startswith(beginning):
            return Frame(kind, envelope)
    if topic is None and "result" in envelope:
        return Frame("gone" if str(envelope["result"]) in GONE else "reply", envelope)
    if topic is None and "eventBody" not in envelope and isinstance(envelope.get("message"), str):
        return Frame("pong" if envelope["message"] == "pong" else "reply", envelope)
    return Frame("event", envelope)


def queue_id(envelope: JsonObject) -> str | None:
    """The queue that an event is about.

    Detail events name it in the body, queue topics in the topic; in a user's snapshot it is the queue that the user
    was in last, else that of the last participant that has one, the way the conversation went.
    """
    body = envelope.get("eventBody")
    if not isinstance(body, dict):
        return None
    if isinstance(direct := body.get("queueId"), str):
        return direct
    in_topic = _QUEUE_TOPIC.match(str(envelope.get("topicName")))
    if in_topic:
        return in_topic.group(1)
    user = _USER_TOPIC.match(str(envelope.get("topicName")))
    queues: list[tuple[bool, str]] = [
        (user is not None and participant_user(participant) == user[1], queue)
        for participant in objects(body, "participants")
        if (queue := participant_queue(participant))
    ]
    own = [queue for is_own, queue in queues if is_own]
    return next(reversed(own or [queue for _, queue in queues]), None)


def with_queue(value: bytes, envelope: JsonObject, queue: str, name: str) -> tuple[bytes, JsonObject]:
    """The frame with `queue: {id, name}` added beside the envelope's own fields, which stay as they came."""
    if not envelope or "queue" in envelope:
        return value, envelope
    added = {"queue": {"id": queue, "name": name}}
    return _with(value, envelope, added), envelope | added


def came_again(value: bytes, envelope: JsonObject, at_ms: int) -> tuple[bytes, JsonObject]:
    """The frame of a state that the conversation came back to, marked by the time (epoch ms) at which it was received.

    Its body may be that of the first time, and hold no time that tells when it came back.
    """
    added = {"again": at_ms}
    return _with(value, envelope, added), envelope | added


def changed_at(value: bytes, envelope: JsonObject, at_ms: int) -> tuple[bytes, JsonObject]:
    """The frame of a change that tells no time of its own, with that of its receipt (epoch ms): no part of its id."""
    added = {"changedAt": at_ms}
    return _with(value, envelope, added), envelope | added


def _with(value: bytes, envelope: JsonObject, added: JsonObject) -> bytes:
    """The frame with fields added behind its own, which stay as they came."""
    return value.rstrip()[:-1] + b"," + orjson.dumps(added)[1:] if envelope else value
