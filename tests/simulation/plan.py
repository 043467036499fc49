"""This module draws histories: what a log holds, who works on it, and what goes wrong when; all of it from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

#: Seconds of a history in which things go wrong; after it everything is left in peace.
TROUBLED_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something that goes wrong. `worker`: which one, of those that live; `much`: how long, or how often."""

    at: float
    what: str
    worker: int = 0
    much: float = 0.0

    def __str__(self) -> str:
        return f"{self.at:7.3f} s  {self.what} (worker {self.worker}, {self.much:.3g})"


@dataclass(frozen=True, slots=True)
class Plan:
    """A history. `logs`: the offsets that exist, by partition; `ends`: what is behind the last one."""

    seed: int
    logs: tuple[tuple[int, ...], ...]
    ends: tuple[int, ...]
    committed: tuple[int, ...]
    keys: int
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {sum(map(len, self.logs))} events with {self.keys} keys"]
        lines += [
            f"  partition {number}: committed {self.committed[number]}, offsets {_ranges(log)}, end {self.ends[number]}"
            for number, log in enumerate(self.logs)
        ]
        return "\n".join([*lines, *(f"  {step}" for step in self.steps)])


#: What may go wrong with consuming, and how often one is drawn beside another.
CONSUMING = {
    "kill": 3, "join": 2, "leave": 2, "cut": 1, "frozen": 2, "rebalance": 8, "slow fetch": 6, "seek fails": 3,
    "pause": 5, "partitions paused": 8, "commit unanswered": 1, "slow ack": 3,
}  # fmt: skip

#: What may go wrong with delivering.
DELIVERING = {
    **CONSUMING, "sends refused": 3, "sends unanswered": 3, "bus silent": 3, "throttled": 3, "dropped answers": 3,
}  # fmt: skip


def draw(seed: int, faults: dict[str, int], most: int = 14) -> Plan:
    """The history of a seed."""
    chance = Random(seed)
    partitions = chance.randrange(1, 4)
    logs, ends, committed = [], [], []
    for _ in range(partitions):
        span = chance.randrange(8, 50)
        first = chance.choice((0, 0, chance.randrange(1, 9)))
        share = chance.choice((1.0, 0.95, 0.7))
        log = tuple(first + offset for offset in range(span) if chance.random() < share) or (first,)
        logs.append(log)
        ends.append(log[-1] + 1 + chance.choice((0, 0, 1, 3)))
        committed.append(chance.choice((-1, log[0], chance.choice(log[: max(1, len(log) // 3)]))))
    number = chance.randrange(0, most)
    names, weights = list(faults), list(faults.values())
    steps = sorted(
        (
            Step(
                round(chance.uniform(0.2, TROUBLED_S), 3),
                chance.choices(names, weights)[0],
                chance.randrange(4),
                round(chance.choice((chance.uniform(0, 1), chance.uniform(1, 12))), 3),
            )
            for _ in range(number)
        ),
        key=lambda step: step.at,
    )
    return Plan(seed, tuple(logs), tuple(ends), tuple(committed), chance.randrange(1, 8), tuple(steps))


def _ranges(offsets: tuple[int, ...]) -> str:
    parts: list[list[int]] = []
    for offset in offsets:
        if parts and parts[-1][-1] == offset - 1:
            parts[-1][1:] = [offset]
        else:
            parts.append([offset])
    return " ".join("–".join(map(str, dict.fromkeys(part))) for part in parts)
