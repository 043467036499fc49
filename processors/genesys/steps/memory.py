"""This module remembers which steps of a conversation were told, so that each is told once.

Of each conversation it keeps the ids of its steps, and of each topic what the newest snapshot said that the next one
may have forgotten: what is on hold, and the values of attributes. Everything ends some time after the conversation.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

from processors.event.members import member, text, value_at
from processors.event.strict_json import JsonObject
from processors.genesys.interval import epoch_ms_of
from processors.genesys.legs import Leg, LegPlace, legs
from processors.genesys.seen_events import Sweeps
from processors.genesys.steps import fields
from processors.genesys.steps.derive import Candidate, Scene, Step, TimedFields, candidates

#: How long after its end a conversation is remembered: after-call work may go on.
ENDED_MS = 1_800_000

#: What a step with a time of its own may lie before the position of an earlier owner and still be told.
MARGIN_MS = 60_000

#: Steps without a time that a snapshot shows for long.
_SHOWN_FOR_LONG = frozenset({"attributes"})


@dataclass(slots=True)
class _TopicState:
    """What one topic told last: which legs are held since nobody knows when, values of attributes, wrap-up codes
    with their notes; `turns`: how often it told each.
    """

    held: set[LegPlace] = field(default_factory=set)
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    wrapups: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    turns: Counter[tuple[str, str, str | int]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Conversation:
    """Its steps, those told here by a number for each, those told before by their ids.

    `holds`: since when, and whether its end was told; `turns`: the most that a topic told.
    """

    told: set[int] = field(default_factory=set)
    told_before: set[str] = field(default_factory=set)
    holds: dict[LegPlace, dict[int, bool]] = field(default_factory=dict)
    turns: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    topics: dict[str, _TopicState] = field(default_factory=dict)
    touched_ms: int = 0
    is_over: bool = False


class StepMemory:
    """Tells the steps of snapshots, each once; of at most `capacity` conversations it knows what was told.

    `covered_ms`: until then an earlier owner of the source told all steps.
    """

    def __init__(self, capacity: int = 20_000, covered_ms: int | None = None) -> None:
        self._capacity, self._covered_ms = capacity, covered_ms
        self._known: OrderedDict[str, _Conversation] = OrderedDict()
        self._sweeps = Sweeps()

    def take(
        self,
        envelope: JsonObject,
        received_ms: int,
        since_ms: int | None = None,
        *,
        is_known: bool = False,
        found: Sequence[Leg] | None = None,
    ) -> list[Step]:
        """The steps that a snapshot tells and none before it did, in the order of their times.

        Of a snapshot made afterwards `received_ms` is its moment, and only what happened since `since_ms` is told.
        What it shows may have come live (`is_known`): then it tells no more than the end of a hold that did not.
        `found`: its communications, where they have been read.
        """
        scene = Scene.of(envelope, legs(envelope) if found is None else found, received_ms)
        if scene is None:
            return []
        is_first = scene.conversation_id not in self._known
        conversation = self._conversation(scene.conversation_id, received_ms)
        name = str(envelope.get("topicName")) + (" backfilled" if envelope.get("backfilled") else "")
        topic = conversation.topics.setdefault(name, _TopicState())
        shown = _holds(scene, topic, conversation) if is_known else _candidates(scene, topic, conversation)
        new = [step for candidate in shown if (step := _new_step(scene, candidate, conversation)) is not None]
        if received_ms >= conversation.touched_ms:  # what is told of the past does not move the present
            conversation.is_over = bool(scene.legs) and all(leg.is_over for leg in scene.legs)
        earliest = since_ms if since_ms is not None else self._covered_ms if is_first else None
        if earliest is not None:
            new = _since(new, earliest - MARGIN_MS)
        return sorted(new, key=lambda step: step.at_ms)

    def knows(self, envelope: JsonObject) -> bool:
        """Whether steps of a snapshot's conversation were told."""
        return text(envelope, "eventBody", "id") in self._known

    def know(self, envelope: JsonObject) -> None:
        """Remember a step that was told: its own envelope."""
        ident = value_at(envelope, "metadata", "stepId")
        conversation_id = value_at(envelope, "eventBody", "conversationId")
        if isinstance(ident, str) and isinstance(conversation_id, str):
            self._conversation(conversation_id, 0).told_before.add(ident)

    def __len__(self) -> int:
        return len(self._known)

    def _conversation(self, ident: str, now_ms: int) -> _Conversation:
        found = self._known.get(ident)
        if found is None:
            found = self._known[ident] = _Conversation()
            self._forget(now_ms)
        found.touched_ms = max(found.touched_ms, now_ms)
        self._known.move_to_end(ident)
        return found

    def _forget(self, now_ms: int) -> None:
        if self._sweeps.is_due(now_ms):
            past = [ident for ident, one in self._known.items() if one.is_over and one.touched_ms < now_ms - ENDED_MS]
            for ident in past:
                del self._known[ident]
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


def _new_step(scene: Scene, candidate: Candidate, conversation: _Conversation) -> Step | None:
    """The step, when it is whole and none told it before; its id is made once, as that costs more than all the rest."""
    mark = hash((candidate.name, candidate.key))
    if mark in conversation.told:
        return None
    step = scene.step(candidate, scene.step_id(candidate))
    if step is None:
        return None
    conversation.told.add(mark)
    return None if step.id in conversation.told_before else step


def _since(steps: list[Step], earliest_ms: int) -> list[Step]:
    """Those of that time on. Of a conversation that was there before, attributes were told before as well."""
    is_old = any(step.is_timed and step.at_ms < earliest_ms for step in steps)
    return [
        step
        for step in steps
        if (step.at_ms >= earliest_ms if step.is_timed else not is_old or step.name not in _SHOWN_FOR_LONG)
    ]


def _candidates(scene: Scene, topic: _TopicState, conversation: _Conversation) -> Iterator[Candidate]:
    yield from candidates(scene)
    yield from _holds(scene, topic, conversation)
    yield from _wrapped_again(scene, topic, conversation)
    yield from _attributes(scene, topic, conversation)


def _holds(scene: Scene, topic: _TopicState, conversation: _Conversation) -> Iterator[Candidate]:
    """Holds whose time is not told, and the ends of holds.

    What a snapshot that was made afterwards shows can be the end of a hold that came live.
    """
    until_ms = scene.received_ms if scene.envelope.get("backfilled") is True else math.inf
    for leg in scene.legs:
        since_ms = epoch_ms_of(leg.session.get("startHoldTime"))
        holds = conversation.holds.get(leg.key, {})
        if leg.held and since_ms is not None:
            conversation.holds.setdefault(leg.key, {}).setdefault(since_ms, False)
        elif leg.held and leg.key not in topic.held:
            topic.turns[leg.key] += 1
            topic.held.add(leg.key)
            yield Candidate("hold", leg, (*leg.key, topic.turns[leg.key]), partial(_untimed, leg, {}))
        elif leg.held:
            continue
        elif leg.key in topic.held:
            topic.held.discard(leg.key)
            if not leg.is_over:
                yield Candidate("unhold", leg, (*leg.key, topic.turns[leg.key]), partial(_untimed, leg, {}))
        elif not leg.is_over and (began := [begun_ms for begun_ms in holds if begun_ms <= until_ms]):
            last_ms = max(began)
            if not holds[last_ms]:
                holds[last_ms] = True
                lasted_ms = scene.received_ms - last_ms
                lasted = {"heldDurationMs": lasted_ms} if lasted_ms >= 0 else {}
                yield Candidate("unhold", leg, (*leg.key, last_ms), partial(_untimed, leg, lasted))


def _untimed(leg: Leg, more: JsonObject) -> TimedFields:
    return None, fields.user(leg) | more


def _attributes(scene: Scene, topic: _TopicState, conversation: _Conversation) -> Iterator[Candidate]:
    """One step for all attributes of a participant that have changed: a value that comes back has changed, too."""
    for person, leg in {leg.participant_id: leg for leg in reversed(scene.legs)}.items():
        changed: JsonObject = {}
        key = []
        for name, value in sorted(fields.present(member(leg.participant, "attributes")).items()):
            digest = blake2b(repr(value).encode(), digest_size=8).hexdigest()
            if topic.attributes.get((person, name)) == digest:
                continue
            topic.attributes[person, name] = digest
            if (turn := _next_turn((person, name, digest), topic, conversation)) is not None:
                changed[name] = value
                key.append((name, digest, turn))
        if changed:
            parts = [{"id": one.session_id, "mediaType": one.medium} for one in scene.legs if _is_of(one, person)]
            content: TimedFields = None, {"attributes": changed, "communications": parts or None}
            yield Candidate("attributes", leg, (person, tuple(key)), partial(_given, content), is_whole=False)


def _wrapped_again(scene: Scene, topic: _TopicState, conversation: _Conversation) -> Iterator[Candidate]:
    """A code that is given once more after another one, or with other notes; the first time, any snapshot tells."""
    for person, leg in {leg.participant_id: leg for leg in reversed(scene.legs)}.items():
        given = fields.wrapup(leg)
        now = given.get("wrapupCode"), given.get("wrapupNotes")
        if not given or topic.wrapups.get(person) == now:
            continue
        topic.wrapups[person] = now
        turn = _next_turn((person, "wrapup", str(now[0])), topic, conversation)
        if turn is not None and turn > 1:
            content: TimedFields = None, fields.user(leg) | given
            yield Candidate("wrapup", leg, (person, now[0], turn), partial(_given, content))


def _next_turn(turn: tuple[str, str, str], topic: _TopicState, conversation: _Conversation) -> int | None:
    """How many times a topic has told a value anew by now; None when another one of the conversation did before."""
    topic.turns[turn] += 1
    if topic.turns[turn] <= conversation.turns[turn]:
        return None
    conversation.turns[turn] = topic.turns[turn]
    return topic.turns[turn]


def _given(content: TimedFields) -> TimedFields:
    return content


def _is_of(leg: Leg, person: str) -> bool:
    return leg.participant_id == person and leg.session_id is not None
