"""This module tells what happened to a conversation: the steps between its snapshots.

Snapshots say how things are, rules want what happened. A step has the name and the fields of Genesys' own detail
events (`v2.detail.events.conversation.{id}.user.start`), which Genesys offers for all conversations on its EventBridge
integration only; those that it has no name for (hold, transfer, message, ...) follow the same pattern. `derived: true`
tells them apart.

A step's id says which step of the conversation it is, and nothing of how it was learned: so it is the same whether it
came live, twice, on another topic, backfilled or after a takeover. Most steps a snapshot tells by itself, however many
before it were missed; what it has forgotten (the end of a hold, what an attribute was) needs the one before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson

from processors.event.identity import uuid5
from processors.event.members import member, objects, text, value_at
from processors.event.strict_json import JsonObject
from processors.genesys.interval import epoch_ms_of
from processors.genesys.legs import CUSTOMERS, ENDED, NAMELESS, USERS, WAITING, Leg
from processors.genesys.steps import fields

#: Namespace of the ids of steps; changing it changes each of them.
STEP_NAMESPACE = uuid.UUID("0c2f6b0a-51d7-5b0e-8a3e-2f7d8c9b4e11")

#: Ends that hand a conversation on without anybody having wanted it: it goes back to its queue.
_NOT_TAKEN = frozenset({"transfer.noanswer", "transfer.notavailable", "transfer.dnd"})

#: After-call work tells its times itself, or its participant does.
_WORK_TIMES = (("startTime", "startAcwTime"), ("endTime", "endAcwTime"))

#: Tells the steps of one name in a conversation apart.
Key = str | tuple[object, ...]

#: Time in epoch ms, when it is told, and fields.
TimedFields = tuple[int | None, JsonObject]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, at `at_ms` (epoch ms); `is_timed`: Genesys told that time, else it is the receipt's."""

    id: str
    name: str
    conversation_id: str
    at_ms: int
    is_timed: bool
    body: JsonObject

    def envelope(self, source: JsonObject) -> JsonObject:
        """The notification that tells it; `source`: the snapshot that it was derived from."""
        envelope: JsonObject = {
            "topicName": f"v2.detail.events.conversation.{self.conversation_id}.{self.name}",
            "version": "2",
            "eventBody": self.body,
            "metadata": {"type": "derived", "stepId": self.id, "topicName": source.get("topicName")},
            "derived": True,
        }
        return envelope | {"backfilled": True} if source.get("backfilled") is True else envelope


class Candidate(NamedTuple):
    """A step that a snapshot tells: `key` says which one of its name it is in the conversation.

    A key holds nothing but texts, numbers and tuples. `read` gives its time and its own fields, None when what is
    needed of them is not told yet: it is asked only when the step is not known. `is_whole`: with the fields that all
    sessions have.
    """

    name: str
    leg: Leg
    key: Key
    read: Callable[[], TimedFields | None]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """A snapshot, read; `received_ms`: the time of what it tells without one."""

    envelope: JsonObject
    conversation_id: str
    legs: tuple[Leg, ...]
    received_ms: int

    @classmethod
    def of(cls, envelope: JsonObject, found: Sequence[Leg], received_ms: int) -> Scene | None:
        """None without a conversation. `found`: the snapshot's communications."""
        ident = text(envelope, "eventBody", "id")
        return cls(envelope, ident, tuple(found), received_ms) if ident else None

    def step_id(self, candidate: Candidate) -> str:
        """UUIDv5 of which step of which conversation it is."""
        return uuid5(STEP_NAMESPACE, orjson.dumps([self.conversation_id, candidate.name, candidate.key]))

    def step(self, candidate: Candidate, ident: str) -> Step | None:
        """The step, when all that it needs is told."""
        found = candidate.read()
        if found is None:
            return None
        at_ms, more = found
        leg, time = candidate.leg, self.received_ms if at_ms is None else at_ms
        shared = fields.shared(self.conversation_id, leg, self.legs, self.envelope) if candidate.is_whole else {}
        body = {"eventTime": time, "conversationId": self.conversation_id, "participantId": leg.participant_id}
        content = fields.present(body | shared | more)
        return Step(ident, candidate.name, self.conversation_id, time, at_ms is not None, content)


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Every step that a snapshot tells by itself, those of long ago among them."""
    begun: set[str] = set()
    for place, leg in enumerate(scene.legs):
        if leg.participant_id.startswith(NAMELESS):
            continue
        after = scene.legs[place + 1 :]
        if leg.purpose in CUSTOMERS:
            yield from _session(leg, "customer", fields.customer)
        elif leg.purpose in USERS:
            yield from _session(leg, "user", fields.user)
            yield from _transfer(leg, after)
        elif leg.purpose == "acd":
            yield from _queued(scene, leg, after)
        yield from _timed_hold(leg)
        yield from _messages(leg)
        if leg.participant_id not in begun:
            begun.add(leg.participant_id)
            yield from _after_work(scene, leg)
            yield from _consult(leg)


def _session(leg: Leg, name: str, own: Callable[[Leg], JsonObject]) -> Iterator[Candidate]:
    """Its start, and its end."""
    yield Candidate(f"{name}.start", leg, leg.key, lambda: (_began(leg), own(leg)))
    if leg.is_over:
        yield Candidate(f"{name}.end", leg, leg.key, lambda: (leg.ended_ms, own(leg) | fields.ended(leg)))


def _began(leg: Leg) -> int | None:
    """When it began; of one that was over before it was seen and never answered, no later than its end."""
    return leg.started_ms if leg.started_ms is not None else leg.ended_ms


def _queued(scene: Scene, leg: Leg, after: tuple[Leg, ...]) -> Iterator[Candidate]:
    def end() -> TimedFields | None:
        outcome = _outcome(leg, after, scene.legs)
        return (leg.ended_ms, fields.routing(leg) | fields.ended(leg) | outcome) if outcome else None

    yield Candidate("acd.start", leg, leg.key, lambda: (_began(leg), fields.routing(leg)))
    if leg.is_over:
        yield Candidate("acd.end", leg, leg.key, end)


def _outcome(leg: Leg, after: tuple[Leg, ...], everybody: tuple[Leg, ...]) -> JsonObject:
    """How the wait ended; empty while nothing tells it: who is next may be told by a later snapshot."""
    following = [one for one in after if one.participant_id != leg.participant_id]
    for one in following:
        if one.purpose == "acd" and one.medium == leg.medium:
            break
        was_connected = one.connected_ms is not None or one.state not in WAITING | ENDED
        if one.purpose in USERS and one.queue in (leg.queue, None) and was_connected:
            return {"acdOutcome": "ANSWERED", "outcome": "answered", "answeredUserId": one.user}
    next_one = next((one for one in following if one.queue != leg.queue or one.purpose not in USERS), None)
    customers = [one for one in everybody if one.purpose in CUSTOMERS]
    if leg.disconnect.startswith("transfer"):
        if next_one is not None:
            by_hand = next_one.purpose in USERS
            return {"acdOutcome": "FLOW_OUT", "outcome": "transferred" if by_hand else "overflow"}
        if not customers or not all(one.is_over for one in customers):
            return {}
    return {"acdOutcome": "ABANDON", "outcome": "abandoned"}


def _transfer(leg: Leg, after: tuple[Leg, ...]) -> Iterator[Candidate]:
    """A person handed the conversation on; to whom, the participant tells that came next.

    Who had gone by then was not it: a queue in which somebody was consulted, who answered.
    """

    def to_whom() -> TimedFields | None:
        others = [one for one in after if one.participant_id != leg.participant_id]
        target = next((one for one in others if not _was_over(one, leg.ended_ms)), None)
        if target is None:
            return None
        to = {"toParticipantId": target.participant_id, "toQueueId": target.queue, "toUserId": target.user}
        return leg.ended_ms, fields.user(leg) | {"disconnectType": fields.disconnect_type(leg)} | to

    if leg.disconnect.startswith("transfer") and leg.disconnect not in _NOT_TAKEN:
        yield Candidate("transfer", leg, leg.key, to_whom)


def _was_over(leg: Leg, moment: int | None) -> bool:
    """Whether it ended before that moment (epoch ms); not when either is not told."""
    return moment is not None and leg.ended_ms is not None and leg.ended_ms < moment


def _timed_hold(leg: Leg) -> Iterator[Candidate]:
    if leg.held and (since_ms := epoch_ms_of(leg.session.get("startHoldTime"))) is not None:
        yield Candidate("hold", leg, (*leg.key, since_ms), lambda: (since_ms, fields.user(leg)))


def _consult(leg: Leg) -> Iterator[Candidate]:
    if consulted := text(leg.participant, "consultParticipantId"):
        more = {"consultParticipantId": consulted}
        key = (leg.participant_id, consulted)
        yield Candidate("consult", leg, key, lambda: (leg.started_ms, fields.user(leg) | more))


def _after_work(scene: Scene, leg: Leg) -> Iterator[Candidate]:
    """After-call work and the code given: once for a participant."""
    sessions = [one.session for one in scene.legs if one.participant_id == leg.participant_id]
    work = next((found for one in sessions if (found := member(one, "afterCallWork"))), {})
    state = (text(work, "state") or "").lower()
    began, ends = (work.get(name) or leg.participant.get(more) for name, more in _WORK_TIMES)

    def end() -> TimedFields:
        started, ended = epoch_ms_of(began), epoch_ms_of(ends)
        lasted = {"wrapupDurationMs": ended - started} if ended is not None and started is not None else {}
        return ended, fields.user(leg) | fields.wrapup(leg) | lasted

    def code() -> TimedFields:
        at_ms = epoch_ms_of(value_at(leg.participant, "wrapup", "endTime"))
        return at_ms if at_ms is not None else epoch_ms_of(ends), fields.user(leg) | wrapup

    if began or state in ("pending", "complete"):
        yield Candidate("acw.start", leg, leg.participant_id, lambda: (epoch_ms_of(began), fields.user(leg)))
        if ends or state == "complete":
            yield Candidate("acw.end", leg, leg.participant_id, end)
    if wrapup := fields.wrapup(leg):
        yield Candidate("wrapup", leg, (leg.participant_id, wrapup["wrapupCode"]), code)


def _messages(leg: Leg) -> Iterator[Candidate]:
    """One for each message of a message conversation, whoever of its participants lists it."""
    for message in objects(leg.session, "messages"):
        if ident := text(message, "messageId"):
            yield Candidate("message", leg, ident, partial(_message, leg, message))


def _message(leg: Leg, message: JsonObject) -> TimedFields:
    more: dict[str, Any] = {"messageId": message["messageId"], "messageStatus": message.get("messageStatus")}
    if media := [text(one, "mediaType") for one in objects(message, "media")]:
        more["messageMedia"] = media
    return epoch_ms_of(message.get("messageTime")), fields.user(leg) | more
