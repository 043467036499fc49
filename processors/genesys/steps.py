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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.strict_json import JsonObject
from processors.genesys import step_fields as fields
from processors.genesys.interval import milliseconds
from processors.genesys.legs import CUSTOMERS, ENDED, USERS, WAITING, Leg, legs, member, objects, text

#: Namespace of the ids of steps; changing it changes each of them.
STEP_NAMESPACE = uuid.UUID("0c2f6b0a-51d7-5b0e-8a3e-2f7d8c9b4e11")

#: Ends that hand a conversation on without anybody having wanted it: it goes back to its queue.
_NOT_TAKEN = frozenset({"transfer.noanswer", "transfer.notavailable", "transfer.dnd"})


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
        told: JsonObject = {
            "topicName": f"v2.detail.events.conversation.{self.conversation_id}.{self.name}",
            "version": "2",
            "eventBody": self.body,
            "metadata": {"type": "derived", "stepId": self.id, "topicName": source.get("topicName")},
            "derived": True,
        }
        return told | {"backfilled": True} if source.get("backfilled") is True else told


@dataclass(frozen=True, slots=True)
class Scene:
    """A snapshot, read; `received_ms`: the time of what it tells without one."""

    envelope: JsonObject
    conversation_id: str
    legs: tuple[Leg, ...]
    received_ms: int

    @classmethod
    def of(cls, envelope: JsonObject, received_ms: int) -> Scene | None:
        """None without a conversation."""
        ident = text(member(envelope, "eventBody"), "id")
        return cls(envelope, ident, tuple(legs(envelope)), received_ms) if ident else None

    def step(
        self, name: str, leg: Leg, key: object, at_ms: int | None, more: JsonObject, *, whole: bool = True
    ) -> Step:
        """`key`: which one of this name it is in the conversation. `whole`: with the fields that all sessions have."""
        time = self.received_ms if at_ms is None else at_ms
        ident = step_id(self.conversation_id, name, key)
        shared = fields.shared(self.conversation_id, leg, self.legs, self.envelope) if whole else {}
        body = {"eventTime": time, "conversationId": self.conversation_id, "participantId": leg.participant_id}
        return Step(ident, name, self.conversation_id, time, at_ms is not None, fields.told(body | shared | more))


def step_id(conversation_id: str, name: str, key: object) -> str:
    """UUIDv5 of which step of which conversation it is."""
    return str(uuid.uuid5(STEP_NAMESPACE, orjson.dumps([conversation_id, name, key]).decode()))


def told_steps(scene: Scene) -> Iterator[Step]:
    """Every step that a snapshot tells by itself, those of long ago among them."""
    for place, leg in enumerate(scene.legs):
        after = scene.legs[place + 1 :]
        if leg.purpose in CUSTOMERS:
            yield from _session(scene, leg, "customer", fields.customer(leg))
        elif leg.purpose in USERS:
            yield from _session(scene, leg, "user", fields.user(leg))
            yield from _transfer(scene, leg, after)
        elif leg.purpose == "acd":
            yield from _queued(scene, leg, after)
        if leg.held and (since_ms := milliseconds(leg.session.get("startHoldTime"))) is not None:
            yield scene.step("hold", leg, [*leg.key, since_ms], since_ms, fields.user(leg))
        yield from _messages(scene, leg)
        if _is_first(leg, scene.legs):
            yield from _after_work(scene, leg)
            if consulted := text(leg.participant, "consultParticipantId"):
                more = fields.user(leg) | {"consultParticipantId": consulted}
                yield scene.step("consult", leg, [leg.participant_id, consulted], leg.started_ms, more)


def _is_first(leg: Leg, all_legs: tuple[Leg, ...]) -> bool:
    return next(one for one in all_legs if one.participant_id == leg.participant_id) is leg


def _session(scene: Scene, leg: Leg, name: str, more: JsonObject) -> Iterator[Step]:
    """Its start, and its end."""
    yield scene.step(f"{name}.start", leg, leg.key, _began(leg), more)
    if leg.is_over:
        yield scene.step(f"{name}.end", leg, leg.key, leg.ended_ms, more | fields.ended(leg))


def _began(leg: Leg) -> int | None:
    """When it began; of one that was over before it was seen and never answered, no later than its end."""
    return leg.started_ms if leg.started_ms is not None else leg.ended_ms


def _queued(scene: Scene, leg: Leg, after: tuple[Leg, ...]) -> Iterator[Step]:
    more = fields.routing(leg)
    yield scene.step("acd.start", leg, leg.key, _began(leg), more)
    if leg.is_over and (outcome := _outcome(leg, after, scene.legs)):
        yield scene.step("acd.end", leg, leg.key, leg.ended_ms, more | fields.ended(leg) | outcome)


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


def _transfer(scene: Scene, leg: Leg, after: tuple[Leg, ...]) -> Iterator[Step]:
    """A person handed the conversation on; to whom, the participant tells that came next."""
    if not leg.disconnect.startswith("transfer") or leg.disconnect in _NOT_TAKEN:
        return
    target = next((one for one in after if one.participant_id != leg.participant_id), None)
    if target is None:
        return
    to = {"toParticipantId": target.participant_id, "toQueueId": target.queue, "toUserId": target.user}
    kind = {"disconnectType": fields.disconnect_type(leg)}
    yield scene.step("transfer", leg, leg.key, leg.ended_ms, fields.user(leg) | kind | to)


def _after_work(scene: Scene, leg: Leg) -> Iterator[Step]:
    """After-call work and the code given: once for a participant."""
    work = next(
        (found for one in scene.legs if one.participant_id == leg.participant_id
         if (found := member(one.session, "afterCallWork"))), {},
    )  # fmt: skip
    state = (text(work, "state") or "").lower()
    started = milliseconds(work.get("startTime")) or milliseconds(leg.participant.get("startAcwTime"))
    ended = milliseconds(work.get("endTime")) or milliseconds(leg.participant.get("endAcwTime"))
    wrapup = fields.wrapup(leg)
    if started is not None or state in ("pending", "complete"):
        yield scene.step("acw.start", leg, leg.participant_id, started, fields.user(leg))
        if ended is not None or state == "complete":
            lasted = {"wrapupDurationMs": ended - started} if ended is not None and started is not None else {}
            yield scene.step("acw.end", leg, leg.participant_id, ended, fields.user(leg) | wrapup | lasted)
    if "wrapupCode" in wrapup:
        at_ms = milliseconds(member(leg.participant, "wrapup").get("endTime"))
        key = [leg.participant_id, wrapup["wrapupCode"]]
        yield scene.step("wrapup", leg, key, at_ms or ended, fields.user(leg) | wrapup)


def _messages(scene: Scene, leg: Leg) -> Iterator[Step]:
    """One for each message of a message conversation, whoever of its participants lists it."""
    for message in objects(leg.session, "messages"):
        if ident := text(message, "messageId"):
            more: dict[str, Any] = {"messageId": ident, "messageStatus": message.get("messageStatus")}
            if media := [text(one, "mediaType") for one in objects(message, "media")]:
                more["messageMedia"] = media
            at_ms = milliseconds(message.get("messageTime"))
            yield scene.step("message", leg, ident, at_ms, fields.user(leg) | more)
