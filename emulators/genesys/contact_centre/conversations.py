"""This module simulates the conversations of a contact centre: seeded, driven by the time it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from random import Random
from typing import Any
from uuid import UUID

from emulators.genesys.contact_centre.directory import DIVISION_ID, Queue, User
from emulators.genesys.event_stream.events import MEDIA, MEDIA_WEIGHTS

PRIORITIES: tuple[int, ...] = (0, 0, 0, 0, 1, 5, 10)
WAIT_MS, ALERT_MS, TALK_MS, WRAP_UP_MS = 1_000, 500, 4_000, 1_000
"""Mean durations at pace 1: a contact centre in fast motion."""
KEPT = 50_000
"""Conversations that the analytics query remembers; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One party with its one session; times in epoch ms."""

    id: str
    session_id: str
    purpose: str
    name: str
    started_ms: int
    connected_ms: int | None = None
    ended_ms: int | None = None
    queue_id: str | None = None
    user_id: str | None = None
    disconnect_type: str | None = None
    outcome: str | None = None
    answered_by: str | None = None
    work_began_ms: int | None = None
    work_ended_ms: int | None = None

    def state(self, media: str) -> str:
        """As snapshots of that medium name it."""
        if self.ended_ms is not None:
            return "terminated" if media == "voice" else "disconnected"
        return "connected" if self.connected_ms is not None else "alerting"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything known of one interaction at one moment; times in epoch ms."""

    id: str
    media: str
    direction: str
    priority: int
    contact_id: str
    address: str
    started_ms: int
    ended_ms: int | None
    participants: tuple[Participant, ...]
    division_id: str = DIVISION_ID

    @property
    def over_ms(self) -> int | None:
        """When it ended and nobody had after-call work to do for it any more; None before."""
        works = [one.work_ended_ms for one in self.participants if one.work_began_ms is not None]
        if self.ended_ms is None or None in works:
            return None
        return max([self.ended_ms, *(one for one in works if one is not None)])

    def last(self, purpose: str) -> Participant:
        return next(one for one in reversed(self.participants) if one.purpose == purpose)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something happened to `participant`: `event` as in `v2.detail.events.conversation.{id}.<event>`."""

    at_ms: int
    event: str
    participant: Participant
    conversation: Conversation


Action = Callable[[str, int], list[Occurrence]]


class Simulator:
    """Conversations arrive at `rate` a second, enter queues, are answered, handed on, abandoned, and end.

    `advance` is the only way that time passes. `conversations` is the truth, in the order of their beginning.
    """

    def __init__(
        self, queues: Sequence[Queue], users: Sequence[User], rate: float, seed: int = 1, pace: float = 1.0
    ) -> None:
        self.queues = list(queues)
        self.rate = rate
        self.conversations: dict[str, Conversation] = {}
        self._users = list(users)
        self._random = Random(seed)
        self._pace = pace
        self._agenda: list[tuple[int, int, str, Action]] = []
        self._planned = 0
        self._arrival_ms: float | None = None

    def advance(self, now_ms: int) -> Iterator[list[Occurrence]]:
        """All steps that are due by `now_ms`, in the order of their time; each list is of one moment.

        Nothing of a later moment has happened before it is asked for.
        """
        self._arrivals(now_ms)
        while self._agenda and self._agenda[0][0] <= now_ms:
            due, _, conversation_id, action = heappop(self._agenda)
            if conversation_id in self.conversations or action == self._begin:
                yield action(conversation_id, due)

    def _arrivals(self, now_ms: int) -> None:
        if self.rate <= 0 or self._arrival_ms is None:
            self._arrival_ms = float(now_ms)
        while self.rate > 0 and self._arrival_ms <= now_ms:
            self._plan(int(self._arrival_ms), self._uuid(), self._begin)
            self._arrival_ms += self._random.expovariate(self.rate) * 1000

    def _begin(self, conversation_id: str, now: int) -> list[Occurrence]:
        customer = Participant(
            self._uuid(), self._uuid(), "customer", self._customer_name(), started_ms=now, connected_ms=now
        )
        conversation = Conversation(
            id=conversation_id,
            media=self._random.choices(MEDIA, MEDIA_WEIGHTS)[0],
            direction="inbound" if self._random.random() < 0.9 else "outbound",
            priority=self._random.choice(PRIORITIES),
            contact_id=self._uuid(),
            address=f"+1555{self._random.randrange(10_000_000):07d}",
            started_ms=now,
            ended_ms=None,
            participants=(customer,),
        )
        self._remember(conversation)
        self._after(now, 200, conversation_id, self._enter_queue)
        steps = [Occurrence(now, "customer.start", customer, conversation)]
        if self._random.random() < 0.3:
            steps.append(Occurrence(now, "attributes", customer, conversation))
        return steps

    def _enter_queue(self, conversation_id: str, now: int) -> list[Occurrence]:
        queue = self._random.choice(self.queues)
        acd = Participant(self._uuid(), self._uuid(), "acd", queue.name, now, connected_ms=now, queue_id=queue.id)
        conversation = self.conversations[conversation_id]
        conversation = replace(conversation, participants=(*conversation.participants, acd))
        self._remember(conversation)
        chance = self._random.random()
        outcome = self._abandon if chance < 0.1 else self._flow_out if chance < 0.15 else self._alert
        self._after(now, WAIT_MS, conversation_id, outcome)
        return [Occurrence(now, "acd.start", acd, conversation)]

    def _leave_queue(self, conversation_id: str, now: int, outcome: str, user_id: str | None = None) -> Occurrence:
        disconnect = {"ANSWERED": "TRANSFER", "FLOW_OUT": "TRANSFER"}.get(outcome, "PEER")
        end = {"ended_ms": now, "disconnect_type": disconnect, "outcome": outcome, "answered_by": user_id}
        return Occurrence(now, "acd.end", *self._changed(conversation_id, "acd", **end))

    def _flow_out(self, conversation_id: str, now: int) -> list[Occurrence]:
        self._after(now, 100, conversation_id, self._enter_queue)
        return [self._leave_queue(conversation_id, now, "FLOW_OUT")]

    def _abandon(self, conversation_id: str, now: int) -> list[Occurrence]:
        return [self._leave_queue(conversation_id, now, "ABANDON"), self._end(conversation_id, now)]

    def _alert(self, conversation_id: str, now: int) -> list[Occurrence]:
        user = self._random.choice(self._users)
        conversation = self.conversations[conversation_id]
        queue_id = conversation.last("acd").queue_id
        agent = Participant(self._uuid(), self._uuid(), "agent", user.name, now, queue_id=queue_id, user_id=user.id)
        conversation = replace(conversation, participants=(*conversation.participants, agent))
        self._remember(conversation)
        self._after(now, ALERT_MS, conversation_id, self._answer)
        return [Occurrence(now, "user.start", agent, conversation)]

    def _answer(self, conversation_id: str, now: int) -> list[Occurrence]:
        agent, _ = self._changed(conversation_id, "agent", connected_ms=now)
        handed_on = self._random.random() < 0.1
        self._after(now, TALK_MS, conversation_id, self._hand_on if handed_on else self._hang_up)
        return [self._leave_queue(conversation_id, now, "ANSWERED", agent.user_id)]

    def _agent_leaves(self, conversation_id: str, now: int, disconnect: str, work_ms: int | None = None) -> Occurrence:
        end = {"ended_ms": now, "disconnect_type": disconnect, "work_began_ms": work_ms}
        return Occurrence(now, "user.end", *self._changed(conversation_id, "agent", **end))

    def _hand_on(self, conversation_id: str, now: int) -> list[Occurrence]:
        return [
            self._agent_leaves(conversation_id, now, "TRANSFER"),
            *self._enter_queue(conversation_id, now),
        ]

    def _hang_up(self, conversation_id: str, now: int) -> list[Occurrence]:
        left = self._agent_leaves(conversation_id, now, "CLIENT", work_ms=now)
        self._after(now, WRAP_UP_MS, conversation_id, self._wrap_up)
        return [left, self._end(conversation_id, now)]

    def _wrap_up(self, conversation_id: str, now: int) -> list[Occurrence]:
        agent, conversation = self._changed(conversation_id, "agent", work_ended_ms=now)
        return [Occurrence(now, "wrapup", agent, conversation), Occurrence(now, "acw", agent, conversation)]

    def _end(self, conversation_id: str, now: int) -> Occurrence:
        customer, conversation = self._changed(conversation_id, "customer", ended_ms=now, disconnect_type="PEER")
        conversation = replace(conversation, ended_ms=now)
        self._remember(conversation)
        return Occurrence(now, "customer.end", customer, conversation)

    def _changed(self, conversation_id: str, purpose: str, **changes: Any) -> tuple[Participant, Conversation]:
        """The newest participant of that purpose with these changes, and the conversation with it."""
        conversation = self.conversations[conversation_id]
        participant = replace(conversation.last(purpose), **changes)
        others = tuple(participant if one.id == participant.id else one for one in conversation.participants)
        conversation = replace(conversation, participants=others)
        self._remember(conversation)
        return participant, conversation

    def _remember(self, conversation: Conversation) -> None:
        self.conversations[conversation.id] = conversation
        if len(self.conversations) > KEPT:
            del self.conversations[next(iter(self.conversations))]

    def _after(self, now: int, mean_ms: int, conversation_id: str, action: Action) -> None:
        self._plan(now + max(1, int(self._random.expovariate(1 / mean_ms) * self._pace)), conversation_id, action)

    def _plan(self, due_ms: int, conversation_id: str, action: Action) -> None:
        self._planned += 1  # keeps actions of the same moment in order, and never compares the actions themselves
        heappush(self._agenda, (due_ms, self._planned, conversation_id, action))

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _customer_name(self) -> str:
        return f"Customer {self._random.randrange(100_000):05d}"
