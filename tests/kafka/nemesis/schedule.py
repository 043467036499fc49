"""This module composes faults from a seed: which, when, for how long and whom, before anything runs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Room = Literal["worker", "group", "broker", "aws"]

#: Seconds between the beginnings of two faults, on average. A third of them strikes workers, which must start
#: in between: on a slow machine faults must come more slowly for anything to flow.
EVERY_S = 8.0

#: Seconds of peace at the beginning and the end, and between two faults of brokers: two of three disks must be whole.
PEACE_S, BROKERS_PEACE_S = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be done to a pipeline, for `shortest` to `longest` seconds; `figure` is between `least` and `most`."""

    name: str
    room: Room
    weight: int
    shortest: float
    longest: float
    least: float = 0.0
    most: float = 0.0


KINDS = (
    Kind("killed", "worker", 4, 0.5, 8),
    Kind("frozen", "worker", 3, 2, 18),
    Kind("cut-off", "worker", 3, 2, 18),
    Kind("slow-link", "worker", 2, 5, 20, 0.02, 0.4),
    Kind("clock-jump", "worker", 2, 5, 20, -120, 120),
    Kind("joins", "group", 2, 0, 0),
    Kind("leaves", "group", 2, 0, 0),
    Kind("throttled", "aws", 3, 5, 20, 0.1, 0.5),
    Kind("answers-500", "aws", 2, 2, 12),
    Kind("access-denied", "aws", 2, 2, 12),
    Kind("hangs", "aws", 1, 2, 10),
    Kind("accepted-dropped", "aws", 1, 3, 10, 0.1, 0.4),
    Kind("dropped", "aws", 1, 3, 10, 0.1, 0.4),
    Kind("slow", "aws", 2, 5, 20, 100, 1500),
    Kind("queue-down", "aws", 2, 3, 15),
    Kind("broker-killed", "broker", 2, 3, 12),
    Kind("broker-frozen", "broker", 1, 2, 12),
    Kind("broker-cut", "broker", 2, 4, 12),
    Kind("rolling-restart", "broker", 1, 20, 20),
)
"""`figure` of a slow link: seconds for each piece; of a clock: seconds ahead; of AWS: share, or ms of an answer.

How long a rolling restart lasts is up to the brokers; its seconds are what the plan keeps free for it.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One fault, `at` seconds after the beginning. `whom`, from 0 to 1, picks among those who can be struck then."""

    at: float
    kind: Kind
    seconds: float
    whom: float
    figure: float


def schedule(seed: int, seconds: float, every_s: float = EVERY_S) -> list[Step]:
    """The faults of so many seconds, in the order in which they begin; the same figures give the same faults."""
    dice = random.Random(seed)
    steps: list[Step] = []
    at, brokers_free = PEACE_S, 0.0
    while True:
        kinds = [kind for kind in KINDS if kind.room != "broker" or at >= brokers_free]
        kind = dice.choices(kinds, [one.weight for one in kinds])[0]
        step = Step(
            round(at, 2),
            kind,
            round(dice.uniform(kind.shortest, kind.longest), 2),
            round(dice.random(), 3),
            round(dice.uniform(kind.least, kind.most), 3),
        )
        if at + step.seconds > seconds - PEACE_S:
            return steps
        if kind.room == "broker":
            brokers_free = at + step.seconds + BROKERS_PEACE_S
        steps.append(step)
        at += dice.expovariate(1 / every_s)
