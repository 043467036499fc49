"""This module compares the states of a conversation in one vocabulary, live ones and those that the query tells.

Both can say of each communication: it waits (and how), is connected, is on hold, is parked, is over, and whether a
wrap-up code was given. What only live snapshots say (attributes, messages, after-call work) makes a change of its own.
The query is coarser: so of a moment that it tells, only what changed then is looked for among what came live, and not
what changed next. Live states have the time at which they were received, queried ones their own moment.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from processors.event.identity import SNAPSHOT_TOPIC
from processors.event.members import member, objects, text, value_at
from processors.event.strict_json import JsonObject
from processors.genesys.legs import ENDED, Leg, LegPlace, legs

#: How much earlier than Genesys' clock ours may say that a state came.
CLOCK_SKEW_MS = 2_000

#: How long after a state was left it may still come live.
LATE_MS = 10_000

#: Changes this near to each other may come in one snapshot.
NEAR_MS = 100

#: The same where nobody listened: one answer of Genesys that has two stamps.
ONE_ANSWER_MS = 5

SIGHTED_MS = attrgetter("at_ms")

_PHASES = {"offering": "alerting", "none": "scheduled", **dict.fromkeys(ENDED, "ended")}


class Shape(NamedTuple):
    """How one communication is, as both sides can tell it."""

    phase: str
    held: bool
    wrapped: bool


@lru_cache(maxsize=4096)
def _shape(state: str, held: bool, wrapped: bool) -> Shape:
    return Shape(_PHASES.get(state, state), held, wrapped)


@dataclass(frozen=True, slots=True)
class State:
    """How a conversation is: its communications, and a number for what only live snapshots tell."""

    shapes: Mapping[LegPlace, Shape]
    details: int

    @property
    def is_over(self) -> bool:
        """Whether nobody takes part any more."""
        return all(shape.phase == "ended" for shape in self.shapes.values())


@dataclass(frozen=True, slots=True)
class ExpectedShape:
    """What the query says of one communication: its phase is one of these (None: any before its end)."""

    phases: frozenset[str] | None
    held: bool | None = None
    wrapped: bool = False

    def fits(self, shape: Shape | None) -> bool:
        """Whether a live snapshot that shows this shape, or nothing of it, agrees."""
        if shape is None or (self.wrapped and not shape.wrapped) or self.held not in (None, shape.held):
            return False
        return shape.phase != "ended" if self.phases is None else shape.phase in self.phases


@dataclass(frozen=True, slots=True)
class Change:
    """What changed at a moment, and what changes next, at `next_ms`: from one of `still` (None: not there) to `then`.

    `stays`: once what changed is so it remains so. `like`: when it becomes so again soon after; `was_like`: when it had
    become so before, soon before.
    """

    at_ms: int
    now: Mapping[LegPlace, ExpectedShape]
    still: Mapping[LegPlace, tuple[ExpectedShape | None, ...]] = field(default_factory=dict)
    then: Mapping[LegPlace, ExpectedShape] = field(default_factory=dict)
    next_ms: int | None = None
    stays: bool = False
    like: tuple[int, ...] = ()
    was_like: tuple[int, ...] = ()

    def was_seen(self, seen: Sequence[Sighting]) -> bool:
        """Whether anything seen, in the order of time, shows the conversation after this change and before the next.

        One that came back (from hold) is not that of before: what was seen earlier tells nothing then, unless nothing
        else was seen since. Nor is what was seen once both this change and a later one like it: it is the later one's.
        """
        before = bisect_right(seen, self.at_ms, key=SIGHTED_MS)
        queried_ms = max((one.at_ms for one in seen[:before] if one.from_query), default=0)
        since_ms = -math.inf if self.stays else max(self.at_ms - CLOCK_SKEW_MS, queried_ms)
        by_ms = math.inf if self.next_ms is None else self.next_ms + LATE_MS
        until = bisect_right(seen, by_ms, key=SIGHTED_MS)
        shown = self._without_later([self._shown_by(one) for one in seen], seen, until)
        shown = self._without_earlier(shown, seen)
        return any(
            is_shown
            for place, (one, is_shown) in enumerate(zip(seen, shown, strict=True), 1)
            if since_ms <= one.at_ms <= by_ms or place == before
        )

    def _without_later(self, shown: list[bool], seen: Sequence[Sighting], until: int) -> list[bool]:
        """What shows this change, before the place `until`, less what shows the later ones like it: the newest each."""
        for again_ms in reversed(self.like):
            end = next((place for place in reversed(range(until)) if shown[place]), None)
            if end is None:
                break
            start = next((place + 1 for place in reversed(range(end)) if not shown[place]), 0)
            if seen[start].at_ms >= again_ms:
                shown[start : end + 1] = [False] * (end + 1 - start)
                until = start
        return shown

    def _without_earlier(self, shown: list[bool], seen: Sequence[Sighting]) -> list[bool]:
        """The same less what shows the earlier ones like it: the oldest each, as far back as clocks may differ."""
        if not self.was_like:
            return shown
        place = bisect_right(seen, self.was_like[0] - CLOCK_SKEW_MS, key=SIGHTED_MS)
        for _ in self.was_like:
            start = next((one for one in range(place, len(shown)) if shown[one]), len(shown))
            place = next((one for one in range(start, len(shown)) if not shown[one]), len(shown))
            shown[start:place] = [False] * (place - start)
        return shown

    def _shown_by(self, sighting: Sighting) -> bool:
        if sighting.from_query and sighting.at_ms == self.at_ms:
            return True
        shapes = sighting.state.shapes
        is_before_next = all(_fits_any(expected, shapes.get(place)) for place, expected in self.still.items())
        return _fit(self.now, shapes) and is_before_next and not (self.then and _fit(self.then, shapes))


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a conversation was in a state (epoch ms); `from_query`: as the query says, whose times are Genesys' own.

    `channel`: which one brought it live; None of the others.
    """

    at_ms: int
    state: State
    from_query: bool
    channel: str | None = None


def is_snapshot(envelope: JsonObject) -> bool:
    """Whether an event is a snapshot of a conversation."""
    topic, body = str(envelope.get("topicName")), member(envelope, "eventBody")
    return SNAPSHOT_TOPIC.fullmatch(topic) is not None and isinstance(body.get("participants"), list)


def state_of(envelope: JsonObject) -> State | None:
    """The state that a snapshot of a conversation shows; None for any other event."""
    return shown_state(envelope, legs(envelope)) if is_snapshot(envelope) else None


def shown_state(envelope: JsonObject, found: Sequence[Leg]) -> State:
    """The state that a snapshot shows, all of whose communications are `found`."""
    shapes = {leg.key: _shape(leg.state, leg.held, _is_wrapped(leg)) for leg in found}
    people = {leg.participant_id: leg.participant for leg in found}
    details = [_details(ident, participant) for ident, participant in people.items()]
    details += [_session_details(leg) for leg in found]
    details.append(_whole_details(member(envelope, "eventBody")))
    return State(shapes, hash(frozenset(one for one in details if any(one[1:]))))


def snapshot_key(envelope: JsonObject) -> tuple[str, str]:
    """What a snapshot is a state of: the topic and the conversation."""
    return str(envelope.get("topicName")), str(value_at(envelope, "eventBody", "id"))


def exact(state: State, at_ms: int, until_ms: int | None) -> Change:
    """The change of which nothing is known but how things are after it."""
    now = {place: ExpectedShape(frozenset({one.phase}), one.held, one.wrapped) for place, one in state.shapes.items()}
    return Change(at_ms, now, next_ms=until_ms)


def _fit(expected: Mapping[LegPlace, ExpectedShape], shapes: Mapping[LegPlace, Shape]) -> bool:
    return all(one.fits(shapes.get(place)) for place, one in expected.items())


def _fits_any(expected: Iterable[ExpectedShape | None], shape: Shape | None) -> bool:
    return any(shape is None if one is None else one.fits(shape) for one in expected)


def _is_wrapped(leg: Leg) -> bool:
    return bool(member(leg.participant, "wrapup") or member(leg.session, "wrapup"))


_Detail = tuple[object, ...]

#: The number of a state of which nothing but the shapes is known.
NO_DETAILS = hash(frozenset[_Detail]())


def _details(ident: str, participant: JsonObject) -> _Detail:
    attributes = frozenset((name, repr(value)) for name, value in member(participant, "attributes").items())
    wrapup = member(participant, "wrapup")
    return (
        ident,
        attributes,
        text(wrapup, "code"),
        text(wrapup, "notes"),
        bool(participant.get("endAcwTime")),
        text(participant, "consultParticipantId"),
        *_routing_details(participant),
    )


def _routing_details(participant: JsonObject) -> _Detail:
    """What may be changed while somebody waits."""
    routing = member(participant, "conversationRoutingData")
    priority = routing.get("priority")
    skills = frozenset(text(one, "id") for one in objects(routing, "skills"))
    return priority if isinstance(priority, int | float) else 0, skills


def _whole_details(body: JsonObject) -> _Detail:
    recording = text(body, "recordingState") or ""
    return "", recording if recording.lower() != "none" else "", text(body, "externalTag")


def _session_details(leg: Leg) -> _Detail:
    work = text(leg.session, "afterCallWork", "state")
    messages = frozenset(text(one, "messageId") for one in objects(leg.session, "messages"))
    return leg.key, work, text(leg.session, "wrapup", "code"), messages
