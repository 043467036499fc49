"""This module drives numbered events in and accounts for every single one from outside.

An event's number can be told wherever it ends: `createdTime` is a fixed moment plus that many milliseconds, which
the shipped mapping carries to `detail.timestamp` and a failure record keeps in `originalEvent`. Five consecutive
numbers belong to one interaction, so that order can be judged too.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

Fate = Literal["published", "filtered", "failed"]

FIRST_MOMENT = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
INTERACTIONS = uuid.UUID("3d9d2a86-6a5a-4f0e-8c61-0f3e5e6f7a10")
PER_INTERACTION = 5

#: The number of what no numbered event can have become.
NOBODY = -1


def fate(number: int) -> Fate:
    """What must become of an event: of each ten, six are published, three filtered, one fails its schema."""
    return "failed" if number % 10 == 9 else "filtered" if number % 10 in (2, 5, 8) else "published"


def interaction(number: int) -> str:
    """The interaction that an event belongs to."""
    return str(uuid.uuid5(INTERACTIONS, str(number // PER_INTERACTION)))


def event(number: int) -> dict[str, Any]:
    """A stream event with that number."""
    moment = FIRST_MOMENT + timedelta(milliseconds=number)
    payload: dict[str, Any] = {"type": "voice", "priority": "high", "routing": {"queue": {"name": "Support"}}}
    if fate(number) == "filtered":
        payload["priority"] = "normal"
    if fate(number) == "failed":
        payload = {"type": "voice", "routing": {"queue": {"name": "Priority Support"}}}
    return {
        "id": interaction(number),
        "resourceType": "interaction",
        "eventType": "updated",
        "createdTime": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "payload": payload,
    }


def number_of(created_time: object) -> int:
    """The number of an event, from its time; NOBODY for what is no such time."""
    try:
        moment = datetime.fromisoformat(str(created_time).replace("Z", "+00:00"))
        return round((moment - FIRST_MOMENT) / timedelta(milliseconds=1))
    except (ValueError, TypeError):
        return NOBODY


@dataclass(frozen=True, slots=True)
class Account:
    """What became of `events` numbered events. `lost`: numbers that are nowhere they had to be.

    `wrong`: numbers that are where they must not be, and those of no event. `duplicates`: entries on the bus
    beyond the first of each number. `disorder`: events that arrived first after a later one of their interaction.
    `unmirrored`: failures that are not in SQS. `both`: numbers that ended twice, on the bus and in `failures`.
    `renamed`: numbers that came under more than one event id, or as another interaction's. `refused`: numbers that had
    to be published and ended in `failures`.
    """

    events: int
    lost: tuple[int, ...]
    wrong: tuple[int, ...]
    duplicates: int
    disorder: int
    unmirrored: tuple[int, ...]
    both: tuple[int, ...] = ()
    renamed: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every event ended where it had to and nowhere else; repetitions are allowed."""
        return not (self.lost or self.wrong or self.unmirrored or self.both or self.renamed)

    def __str__(self) -> str:
        figures = {
            "lost": self.lost,
            "not in SQS": self.unmirrored,
            "wrong": self.wrong,
            "ended twice": self.both,
            "renamed": self.renamed,
        }
        faulty = [f"{name} {len(numbers)} {list(numbers[:10])}" for name, numbers in figures.items() if numbers]
        found = ", ".join(faulty) or "lost 0"
        return f"{self.events} events: {found}, duplicates {self.duplicates}, out of order {self.disorder}"


def account(
    events: int, bus: Iterable[dict[str, Any]], failures: Iterable[bytes], queue: Iterable[str] | None
) -> Account:
    """Account for numbers 0 to `events` - 1.

    `bus`: details in order of arrival; `failures`: values of the failures topic; `queue`: bodies in SQS, None when
    there is no queue. A failure record of stage publish is an end as good as the bus.
    """
    details = list(bus)
    arrived = [number_of(detail.get("timestamp")) for detail in details]
    on_bus, in_failures = set(arrived), {_failed(value) for value in failures}
    mirrored = in_failures if queue is None else {_failed(body.encode()) for body in queue}
    ended = on_bus | in_failures
    lost = [n for n in range(events) if fate(n) == "published" and n not in ended]
    lost += [n for n in range(events) if fate(n) == "failed" and n not in in_failures]
    wrong = {n for n in on_bus if fate(n) != "published"} | {n for n in in_failures if fate(n) == "filtered"}
    wrong |= (mirrored - in_failures) | {n for n in ended if not 0 <= n < events}
    return Account(
        events=events,
        lost=tuple(sorted(lost)),
        wrong=tuple(sorted(wrong)),
        duplicates=sum(count - 1 for count in Counter(arrived).values()),
        disorder=len(disordered(arrived)),
        unmirrored=tuple(sorted(in_failures - mirrored)),
        both=tuple(sorted(on_bus & in_failures)),
        renamed=_renamed(zip(arrived, details, strict=True)),
        refused=tuple(n for n in sorted(in_failures) if n != NOBODY and fate(n) == "published"),
    )


def first_ends(bus: Iterable[tuple[dict[str, Any], int]], queue: Iterable[tuple[str, int]]) -> dict[int, int]:
    """Number → epoch ms at which it first ended, of entries on the bus and bodies in SQS with theirs."""
    ends: dict[int, int] = {}
    marks = [(number_of(detail["timestamp"]), moment) for detail, moment in bus]
    marks += [(_failed(body.encode()), moment) for body, moment in queue]
    for number, moment in marks:
        ends[number] = min(moment, ends.get(number, moment))
    return ends


def repeated(bus: Iterable[tuple[dict[str, Any], str, int]], killed: Mapping[str, int]) -> tuple[int, int]:
    """How many entries came again that a worker had put which was killed by then, and how many of others.

    `bus`: details, who put each and epoch ms, as they arrived; `killed`: who was killed, and epoch ms.
    """
    first: dict[int, str] = {}
    of_killed = of_others = 0
    for detail, sender, moment in bus:
        number = number_of(detail.get("timestamp"))
        if number not in first:
            first[number] = sender
        elif killed.get(first[number], moment) < moment:
            of_killed += 1
        else:
            of_others += 1
    return of_killed, of_others


def recovery(due: int, ends: Mapping[int, int], since_ms: int) -> float | None:
    """Seconds after `since_ms` until each of numbers 0 to `due` - 1 that leaves a trace had ended.

    None when one has not ended; 0 when all had before.
    """
    moments = [ends.get(number) for number in range(due) if fate(number) != "filtered"]
    if any(moment is None for moment in moments):
        return None
    latest = max((moment for moment in moments if moment is not None), default=since_ms)
    return max(0, latest - since_ms) / 1000


def full_speed(ends: Mapping[int, int], since_ms: int, rate: float) -> float | None:
    """Seconds after `since_ms` until events end as fast as they are given, `rate` a second, for two seconds.

    Those that leave a trace count, a tenth less is no less. None when that never was: what ended was given before.
    """
    wanted = 0.9 * rate * 2.0 * sum(fate(number) != "filtered" for number in range(10)) / 10
    moments = sorted(moment for moment in ends.values() if moment >= since_ms)
    behind = 0
    for index, moment in enumerate(moments):
        while behind < len(moments) and moments[behind] < moment + 2_000:
            behind += 1
        if behind - index >= wanted:
            return (moment - since_ms) / 1000
    return None


def _failed(value: bytes) -> int:
    original = orjson.loads(value).get("originalEvent")
    return number_of(original.get("createdTime")) if isinstance(original, dict) else NOBODY


def _renamed(arrived: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[int, ...]:
    """Numbers whose entries do not all carry one event id and the interaction that they had."""
    ids: dict[int, set[object]] = {}
    for number, detail in arrived:
        names = ids.setdefault(number, set())
        names.add(detail.get("eventId"))
        if detail.get("interactionId") != interaction(number):
            names.add(NOBODY)
    return tuple(sorted(number for number, names in ids.items() if len(names) > 1 or None in names))


def disordered(arrived: Iterable[int]) -> list[int]:
    """Numbers that arrived first after a later one of their interaction."""
    latest: dict[int, int] = {}
    seen: set[int] = set()
    late: list[int] = []
    for number in arrived:
        if number in seen:
            continue
        seen.add(number)
        group = number // PER_INTERACTION
        if number < latest.get(group, -1):
            late.append(number)
        latest[group] = max(number, latest.get(group, -1))
    return late
