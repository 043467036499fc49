"""This module reads notification frames: what kind, whose conversation and queue, seen before or not.

Envelope of an event: `{topicName, version, eventBody, metadata}`. System frames share the socket: heartbeats
and pongs (`channel.metadata`), the closing notice (`v2.system.socket_closing`), and replies, whose `result`
is a string (`"404"`: the channel is gone).
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from processors.errors import MalformedEventError
from processors.event import JsonObject, parse

FrameKind = Literal["event", "heartbeat", "pong", "closing", "gone", "reply", "malformed"]

#: Arrays of a participant that hold its communications, one for each medium.
COMMUNICATIONS = (
    "calls", "callbacks", "chats", "emails", "messages", "internalMessages", "cobrowsesessions",
    "screenshares", "socialExpressions", "videos",
)  # fmt: skip

#: Results that can only be about the channel, as nothing but pings is sent: token, eviction, end of life.
GONE = frozenset({"401", "403", "404", "410"})

#: Notices that the channel brings nothing any more (Genesys' streaming client knows the first).
NO_LONGER = frozenset({"no_longer_subscribed", "v2.system.no_longer_subscribed"})

_SNAPSHOT_TOPIC = re.compile(r"v2\.(?:routing\.queues|users)\.[^.]+\.conversations(?:\.\w+)?")
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
        envelope = parse(value)
    except MalformedEventError:
        return Frame("malformed")
    if not isinstance(envelope, dict):
        return Frame("malformed")
    topic = envelope.get("topicName")
    if topic == "channel.metadata":
        return Frame("pong" if _message(envelope) == "pong" else "heartbeat", envelope)
    if topic == "v2.system.socket_closing":
        return Frame("closing", envelope)
    if topic in NO_LONGER:
        return Frame("gone", envelope)
    if topic is None and "result" in envelope:
        return Frame("gone" if str(envelope["result"]) in GONE else "reply", envelope)
    if topic is None and "eventBody" not in envelope and isinstance(envelope.get("message"), str):
        return Frame("pong" if envelope["message"] == "pong" else "reply", envelope)
    return Frame("event", envelope)


def _message(envelope: JsonObject) -> Any:
    body = envelope.get("eventBody")
    return body.get("message") if isinstance(body, dict) else None


def queue_id(envelope: JsonObject) -> str | None:
    """The queue that an event is about.

    Detail events name it in the body, queue topics in the topic; in a user's snapshot it is the queue of the
    last participant that has one, the way the conversation went.
    """
    body = envelope.get("eventBody")
    if not isinstance(body, dict):
        return None
    if isinstance(direct := body.get("queueId"), str):
        return direct
    in_topic = _QUEUE_TOPIC.match(str(envelope.get("topicName")))
    if in_topic:
        return in_topic.group(1)
    queues = [found for participant in _participants(body) if (found := participant_queue(participant))]
    return queues[-1] if queues else None


def participant_queue(participant: JsonObject) -> str | None:
    """Queue id of a participant: flat (`queueId`) or nested (`queue.id`, in the variants by medium)."""
    nested = participant.get("queue")
    found = participant.get("queueId") or (nested.get("id") if isinstance(nested, dict) else None)
    return found if isinstance(found, str) else None


def with_queue(value: bytes, envelope: JsonObject, queue: str, name: str) -> bytes:
    """The frame with `queue: {id, name}` added beside the envelope's own fields, which stay as they came."""
    if "queue" in envelope or not envelope:
        return value
    added = orjson.dumps({"queue": {"id": queue, "name": name}})
    return value.rstrip()[:-1] + b"," + added[1:]


def snapshot_state(envelope: JsonObject) -> int | None:
    """A number for the state of a conversation snapshot; None for any other event.

    Two snapshots have the same state when the same participants are in the same states: what changes beside
    that (attributes, timers, scores) is not counted. Equal for live and for backfilled snapshots.
    """
    body = envelope.get("eventBody")
    if not isinstance(body, dict) or not _SNAPSHOT_TOPIC.fullmatch(str(envelope.get("topicName"))):
        return None
    if not isinstance(body.get("participants"), list):
        return None
    return hash(frozenset(_participant_state(participant) for participant in _participants(body)))


def snapshot_key(envelope: JsonObject) -> tuple[str, str]:
    """What a snapshot is a state of: the topic and the conversation."""
    body = envelope.get("eventBody")
    return str(envelope.get("topicName")), str(body.get("id") if isinstance(body, dict) else None)


def _participants(body: JsonObject) -> Iterator[JsonObject]:
    participants = body.get("participants")
    for participant in participants if isinstance(participants, list) else ():
        if isinstance(participant, dict):
            yield participant


def _participant_state(participant: JsonObject) -> tuple[Any, ...]:
    user = participant.get("user")
    user_id = participant.get("userId") or (user.get("id") if isinstance(user, dict) else None)
    identity = (participant.get("id"), participant.get("purpose"), participant_queue(participant), user_id)
    return *map(str, identity), bool(participant.get("wrapup")), frozenset(_communication_states(participant))


def _communication_states(participant: JsonObject) -> Iterator[tuple[str, bool]]:
    if "state" in participant:  # the variants by medium: the participant is its own communication
        yield str(participant["state"]), bool(participant.get("held"))
    for medium in COMMUNICATIONS:
        communications = participant.get(medium)
        for communication in communications if isinstance(communications, list) else ():
            if isinstance(communication, dict):
                yield str(communication.get("state")), bool(communication.get("held"))


class SeenEvents:
    """Remembers event ids for a while, at most `capacity` of them, so that a second coming is found."""

    def __init__(self, window: float, capacity: int = 100_000) -> None:
        self._window, self._capacity = window, capacity
        self._seen: OrderedDict[str, float] = OrderedDict()

    def is_new(self, event_id: str, now: float) -> bool:
        """Whether the id was not seen within the last `window` seconds; remembers it. `now` in seconds."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < self._capacity and self._seen[oldest] > now - self._window:
                break
            del self._seen[oldest]
        if event_id in self._seen:
            return False
        self._seen[event_id] = now
        return True

    def __len__(self) -> int:
        return len(self._seen)


#: The time (epoch ms) at which a conversation was seen in a state, and the state.
Sighting = tuple[int, int]

#: How much earlier than Genesys' clock ours may say that a state came.
CLOCK_SKEW_MS = 2_000


class SeenStates:
    """Remembers the last `states` sightings of each conversation by time, for at most `capacity` conversations."""

    def __init__(self, capacity: int = 20_000, states: int = 32) -> None:
        self._capacity, self._states = capacity, states
        self._seen: OrderedDict[tuple[str, str], list[Sighting]] = OrderedDict()

    def is_change(self, key: tuple[str, str], state: int, at_ms: int) -> bool:
        """Whether a live state, received at `at_ms` (epoch ms), differs from the newest one; remembers it."""
        seen = self._known(key)
        if seen and seen[-1][1] == state:
            return False
        self._add(seen, (max(at_ms, seen[-1][0]) if seen else at_ms, state))
        return True

    def recall(self, key: tuple[str, str], state: int, at_ms: int) -> None:
        """Remember a state that went on at `at_ms` (epoch ms); they may come in any order."""
        self._add(self._known(key), (at_ms, state))

    def is_unseen(self, key: tuple[str, str], state: int, at_ms: int) -> bool:
        """Whether a state that is told of the past, so at `at_ms` (epoch ms), was not seen; remembers it.

        It was, when the state before it is the same, and when it was seen at that time or later, as what comes
        live comes after its moment. One that was seen only before another one has come back: it is unseen.
        It is the newest one when it came after all that was seen: a live snapshot like it is no change then.
        """
        seen = self._known(key)
        before = bisect_right(seen, at_ms, key=_time)
        if before and seen[before - 1][1] == state:
            return False
        if any(state == one for at, one in seen if at >= at_ms - CLOCK_SKEW_MS):
            return False
        self._add(seen, (at_ms, state))
        return True

    def __len__(self) -> int:
        return len(self._seen)

    def _add(self, seen: list[Sighting], sighting: Sighting) -> None:
        insort_right(seen, sighting, key=_time)
        del seen[: -self._states]

    def _known(self, key: tuple[str, str]) -> list[Sighting]:
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = []
            if len(self._seen) > self._capacity:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(key)
        return seen


def _time(sighting: Sighting) -> int:
    return sighting[0]
