"""This module decides which conversations have topics of their own, on which channel, and for how long.

A conversation is given room when it is first seen, all of its topics on one channel, and keeps it until some time
after its end. When there is no room it waits, and is reported as left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from processors.event.identity import interaction_id, is_uuid
from processors.event.members import member, objects
from processors.event.strict_json import JsonObject
from processors.genesys.legs import ENDED, communications
from processors.genesys.topics.plan import of_conversation

#: A conversation of which nothing was heard for so long is taken for ended: its end may have been missed.
IDLE_MS = 24 * 3_600_000


@dataclass(slots=True)
class _Seen:
    """`channel`: where its topics are, None while it waits; `ended_ms`: None while it goes on."""

    seen_ms: int
    ended_ms: int | None
    channel: int | None = None
    reported: bool = False


class ConversationTopics:
    """`linger_ms`: how long topics are kept after a conversation's end."""

    #: Conversations that are remembered at most; the longest unseen go first, those without room before the others.
    capacity = 50_000

    def __init__(self, linger_ms: int) -> None:
        self._templates: tuple[str, ...] = ()
        self._each = 0  # topics of a conversation, combined
        self._linger_ms = linger_ms
        self._seen: dict[str, _Seen] = {}

    @property
    def templates(self) -> tuple[str, ...]:
        """They hold `{conversation}`, in place of which the ids go."""
        return self._templates

    @templates.setter
    def templates(self, templates: tuple[str, ...]) -> None:
        self._templates, self._each = templates, len(of_conversation(templates, "0" * 36))

    def saw(self, envelope: JsonObject, now_ms: int) -> bool:
        """Take note of an event; whether a conversation has come that waits for room."""
        conversation = interaction_id(envelope)
        if not self._templates or conversation is None or not is_uuid(conversation):
            return False
        known, over = self._seen.get(conversation), is_over(envelope)
        if known is None:
            if over is not False:  # only a snapshot that goes on makes a conversation known
                return False
            self._make_room()
            self._seen[conversation] = _Seen(now_ms, None)
            return True
        known.seen_ms = now_ms
        if over is not None:
            known.ended_ms = (known.ended_ms or now_ms) if over else None
        return False

    def held(self, channel: int) -> tuple[str, ...]:
        """The topics of the conversations that have their room on this channel."""
        return tuple(topic for ident, one in self._seen.items() if one.channel == channel for topic in self._of(ident))

    def counts(self) -> Counter[int]:
        """How many topics each channel holds."""
        placed = Counter(one.channel for one in self._seen.values() if one.channel is not None)
        return Counter({channel: number * self._each for channel, number in placed.items()})

    @property
    def waiting(self) -> bool:
        """Whether some have no room."""
        return any(one.channel is None for one in self._seen.values())

    def place(self, room: Mapping[int, int]) -> dict[int, tuple[str, ...]]:
        """Give room to those that wait: the topics to add, by channel. `room`: how many more each can hold."""
        left, added = dict(room), dict[int, list[str]]()
        for ident, one in self._seen.items():
            if one.channel is None:
                one.channel = next((channel for channel, free in left.items() if free >= self._each), None)
                if one.channel is None:
                    break
                left[one.channel] -= self._each
                added.setdefault(one.channel, []).extend(self._of(ident))
        return {channel: tuple(topics) for channel, topics in added.items()}

    def left_out(self) -> tuple[str, ...]:
        """Conversations without room that were not reported before."""
        found = [ident for ident, one in self._seen.items() if one.channel is None and not one.reported]
        for ident in found:
            self._seen[ident].reported = True
        return tuple(found)

    def forget_over(self, now_ms: int) -> frozenset[int]:
        """Give up those whose time is over; the channels that have room again."""
        over = [ident for ident, one in self._seen.items() if self._is_due(one, now_ms)]
        gone = [self._seen.pop(ident).channel for ident in over]
        return frozenset(channel for channel in gone if channel is not None)

    def fit(self, channel: int, room: int) -> None:
        """A channel holds so many topics of conversations only: those beyond wait for room elsewhere."""
        for one in self._seen.values():
            if one.channel == channel:
                room -= self._each
                one.channel = channel if room >= 0 else None

    def _is_due(self, one: _Seen, now_ms: int) -> bool:
        if one.ended_ms is not None and now_ms - one.ended_ms >= self._linger_ms:
            return True
        return now_ms - one.seen_ms >= IDLE_MS

    def _make_room(self) -> None:
        if len(self._seen) >= self.capacity:
            waiting = next((ident for ident, one in self._seen.items() if one.channel is None), None)
            del self._seen[waiting if waiting is not None else next(iter(self._seen))]

    def _of(self, conversation: str) -> tuple[str, ...]:
        return of_conversation(self._templates, conversation)


def is_over(envelope: JsonObject) -> bool | None:
    """Whether a snapshot shows its conversation ended; None for what is no snapshot of one."""
    body = member(envelope, "eventBody")
    if not isinstance(body.get("participants"), list):
        return None
    found = objects(body, "participants")
    return bool(body.get("endTime")) or (bool(found) and all(map(_has_left, found)))


def _has_left(participant: JsonObject) -> bool:
    own = [participant] if isinstance(participant.get("state"), str) else []
    states = [one.get("state") for one in [*own, *communications(participant)]]
    return all(state in ENDED for state in states) if states else bool(participant.get("endTime"))
