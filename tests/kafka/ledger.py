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


def number_of(created_time: str) -> int:
    """The number of an event, from its time."""
    moment = datetime.fromisoformat(created_time.replace("Z", "+00:00"))
    return round((moment - FIRST_MOMENT) / timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Account:
    """What became of `events` numbered events. `lost`: numbers that are nowhere they had to be.

    `wrong`: numbers that are where they must not be. `duplicates`: entries on the bus beyond the first of each
    number. `disorder`: events that arrived first after a later one of their interaction. `unmirrored`:
    failures that are not in SQS. `both`: numbers that ended twice, on the bus and in `failures`.
    """

    events: int
    lost: tuple[int, ...]
    wrong: tuple[int, ...]
    duplicates: int
    disorder: int
    unmirrored: tuple[int, ...]
    both: tuple[int, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.events} events: lost {len(self.lost)} {list(self.lost[:10])}, wrong {len(self.wrong)}, "
            f"duplicates {self.duplicates}, out of order {self.disorder}, not in SQS {len(self.unmirrored)}"
        )


def account(
    events: int, bus: Iterable[dict[str, Any]], failures: Iterable[bytes], queue: Iterable[str] | None
) -> Account:
    """Account for numbers 0 to `events` - 1.

    `bus`: details in order of arrival; `failures`: values of the failures topic; `queue`: bodies in SQS, None when
    there is no queue. A failure record of stage publish is an end as good as the bus.
    """
    arrived = [number_of(detail["timestamp"]) for detail in bus]
    failed = [_failed(value) for value in failures]
    mirrored = None if queue is None else {_failed(body.encode()) for body in queue}
    on_bus, in_failures = set(arrived), set(failed)
    lost = [n for n in range(events) if fate(n) == "published" and n not in on_bus | in_failures]
    lost += [n for n in range(events) if fate(n) == "failed" and n not in in_failures]
    wrong = [n for n in on_bus if fate(n) != "published"] + [n for n in in_failures if fate(n) == "filtered"]
    return Account(
        events=events,
        lost=tuple(sorted(lost)),
        wrong=tuple(sorted(wrong)),
        duplicates=sum(count - 1 for count in Counter(arrived).values()),
        disorder=_disorder(arrived),
        unmirrored=() if mirrored is None else tuple(sorted(in_failures - mirrored)),
        both=tuple(sorted(on_bus & in_failures)),
    )


def first_ends(bus: Iterable[tuple[dict[str, Any], int]], queue: Iterable[tuple[str, int]]) -> dict[int, int]:
    """Number → epoch ms at which it first ended, of entries on the bus and bodies in SQS with theirs."""
    ends: dict[int, int] = {}
    marks = [(number_of(detail["timestamp"]), moment) for detail, moment in bus]
    marks += [(_failed(body.encode()), moment) for body, moment in queue]
    for number, moment in marks:
        ends[number] = min(moment, ends.get(number, moment))
    return ends


def recovery(due: int, ends: Mapping[int, int], since_ms: int) -> float | None:
    """Seconds after `since_ms` until each of numbers 0 to `due` - 1 that leaves a trace had ended.

    None when one has not ended; 0 when all had before.
    """
    moments = [ends.get(number) for number in range(due) if fate(number) != "filtered"]
    if any(moment is None for moment in moments):
        return None
    latest = max((moment for moment in moments if moment is not None), default=since_ms)
    return max(0, latest - since_ms) / 1000


def _failed(value: bytes) -> int:
    return number_of(orjson.loads(value)["originalEvent"]["createdTime"])


def _disorder(arrived: Iterable[int]) -> int:
    latest: dict[int, int] = {}
    seen: set[int] = set()
    disorder = 0
    for number in arrived:
        if number in seen:
            continue
        seen.add(number)
        group = number // PER_INTERACTION
        disorder += number < latest.get(group, -1)
        latest[group] = max(number, latest.get(group, -1))
    return disorder
