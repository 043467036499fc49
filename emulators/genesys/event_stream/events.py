"""This module generates the events of the HTTP stream: seeded, endless or counted, with a known fate each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as naturals
from random import Random
from typing import Literal
from uuid import UUID, uuid5

Kind = Literal["match", "filtered", "invalid"]
Flaw = Literal["missing-priority", "malformed-time", "numeric-id", "not-a-uuid"]
Event = dict[str, object]
Clock = Callable[[], datetime]

ORGANISATION = UUID("6f1c4b0e-0d5c-4d0a-9a55-6d8f4f7f2b10")
MEDIA: tuple[str, ...] = ("voice", "chat", "email", "message", "callback")
MEDIA_WEIGHTS: tuple[int, ...] = (50, 18, 14, 14, 4)
PRIORITY_QUEUES: tuple[str, ...] = ("Priority Support", "Sales PRIORITY", "priority-billing")
PLAIN_QUEUES: tuple[str, ...] = ("Support", "Sales", "Billing", "Returns", "Back Office", "Kundendienst Süd")
PLAIN_PRIORITIES: tuple[str, ...] = ("low", "normal")
MALFORMED_TIMES: tuple[str, ...] = ("yesterday", "2026-13-45T10:00:00.000Z", "23.11.2026 10:00", "1795428000")
FLAWS: tuple[Flaw, ...] = ("missing-priority", "malformed-time", "numeric-id")
"""What the shipped route refuses; `not-a-uuid` is for routes that want a UUID of their events."""
FIRST_MOMENT = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shares:
    """How many events out of all are of each kind; the weights need not add up to one."""

    match: float = 0.6
    filtered: float = 0.3
    invalid: float = 0.1

    def __post_init__(self) -> None:
        if min(self.match, self.filtered, self.invalid) < 0 or self.match + self.filtered + self.invalid <= 0:
            raise ValueError("shares are weights: none below zero, at least one above")


@dataclass(frozen=True, slots=True)
class GeneratedEvent:
    """One event and the fate that the shipped `interaction` route has in store for it."""

    kind: Kind
    event: Event


def queue_id(name: str) -> str:
    """The id of the queue of that name: the same in every run, so names and ids can be compared."""
    return str(uuid5(ORGANISATION, f"queue:{name}"))


def stepping_clock() -> Clock:
    """A clock that moves 20 ms at each look: for runs that must be the same each time."""
    steps = naturals()
    return lambda: FIRST_MOMENT + timedelta(milliseconds=20 * next(steps))


def timestamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds and `Z`, as Genesys writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def generate(
    count: int | None = None,
    seed: int = 1,
    shares: Shares | None = None,
    *,
    clock: Clock | None = None,
    flaws: Sequence[Flaw] = FLAWS,
) -> Iterator[GeneratedEvent]:
    """`count` events (None = endless) in the mix of `shares`; equal arguments give equal events.

    Every `invalid` event passes the filter by its queue's name and then has exactly one of `flaws`.
    """
    shares = shares or Shares()
    random = Random(seed)
    moment = clock or stepping_clock()
    kinds: tuple[Kind, ...] = ("match", "filtered", "invalid")
    weights = (shares.match, shares.filtered, shares.invalid)
    for _ in naturals() if count is None else range(count):
        kind = random.choices(kinds, weights)[0]
        yield GeneratedEvent(kind, _event(kind, random, moment(), flaws))


def _event(kind: Kind, random: Random, moment: datetime, flaws: Sequence[Flaw]) -> Event:
    if kind == "match":
        return _matching(random, moment)
    if kind == "filtered":
        return _plain(random, moment, random.choice(PLAIN_QUEUES), random.choice(PLAIN_PRIORITIES))
    return _flawed(random, moment, random.choice(flaws))


def _matching(random: Random, moment: datetime) -> Event:
    if random.random() < 0.6:
        return _plain(random, moment, random.choice(PLAIN_QUEUES + PRIORITY_QUEUES), "high")
    return _plain(random, moment, random.choice(PRIORITY_QUEUES), random.choice(PLAIN_PRIORITIES))


def _flawed(random: Random, moment: datetime, flaw: Flaw) -> Event:
    priority = None if flaw == "missing-priority" else random.choice(PLAIN_PRIORITIES)
    event = _plain(random, moment, random.choice(PRIORITY_QUEUES), priority)
    if flaw == "malformed-time":
        event["createdTime"] = random.choice(MALFORMED_TIMES)
    elif flaw == "numeric-id":
        event["id"] = random.getrandbits(53)  # what a JSON number carries without loss
    elif flaw == "not-a-uuid":
        event["id"] = f"interaction-{random.getrandbits(64):016x}"
    return event


def _plain(random: Random, moment: datetime, queue: str, priority: str | None) -> Event:
    payload: dict[str, object] = {"type": random.choices(MEDIA, MEDIA_WEIGHTS)[0]}
    if priority is not None:
        payload["priority"] = priority
    payload["direction"] = "inbound" if random.random() < 0.85 else "outbound"
    payload["routing"] = {"queue": {"id": QUEUE_IDS[queue], "name": queue}}
    return {
        "id": str(UUID(int=random.getrandbits(128), version=4)),
        "resourceType": "interaction",
        "eventType": "created" if random.random() < 0.7 else "updated",
        "createdTime": timestamp(moment),
        "payload": payload,
    }


QUEUE_IDS: dict[str, str] = {name: queue_id(name) for name in (*PRIORITY_QUEUES, *PLAIN_QUEUES)}
"""Ids of the queues that exist from the start, by name."""
