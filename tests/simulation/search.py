"""This module looks for a history that breaks a law, for as long as it may take, and tells it to be read."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from tests.simulation.delivering import DeliveringWorld
from tests.simulation.lanes import LaneWorld
from tests.simulation.plan import CONSUMING, DELIVERING, Plan, draw
from tests.simulation.shrink import shrink
from tests.simulation.world import Violation, World, play


@dataclass(frozen=True, slots=True)
class Kind:
    """A simulation: whose world it is, and what may go wrong in it."""

    world: type[World]
    faults: dict[str, int]

    def plan(self, seed: int) -> Plan:
        """The history of a seed."""
        return draw(seed, self.faults)

    def play(self, plan: Plan, ended: Callable[[float], None] = lambda at: None) -> Violation | None:
        """The law that a history breaks, if any (see world.py)."""
        with _quiet():
            return play(plan, self.world, ended)


KINDS = {
    "consuming": Kind(World, CONSUMING),
    "lanes": Kind(LaneWorld, CONSUMING),
    "delivering": Kind(DeliveringWorld, DELIVERING),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A seed whose history breaks a law, and that history made small."""

    kind: str
    seed: int
    plan: Plan
    violation: Violation

    def __str__(self) -> str:
        again = f'make simulate ARGS="--kind {self.kind} --seed {self.seed}"'
        return f"{self.kind}, shrunk; again: {again}\n{self.plan}\n{self.violation}"


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking: how many histories were played, and the first that broke a law."""

    histories: int
    found: Found | None


def search(kind: str, seconds: float, first: int = 0) -> Search:
    """Play history after history, from seed `first` on, until one breaks a law or the time is over."""
    ends = time.monotonic() + seconds
    seed = first
    while True:
        violation = KINDS[kind].play(KINDS[kind].plan(seed))
        if violation is not None:
            return Search(seed - first + 1, tell(kind, seed))
        seed += 1
        if time.monotonic() > ends:
            return Search(seed - first, None)


def tell(kind: str, seed: int) -> Found | None:
    """Play a seed's history; made small when it breaks a law."""
    simulated = KINDS[kind]
    violation = simulated.play(simulated.plan(seed))
    if violation is None:
        return None
    law = violation.law

    def breaks(plan: Plan) -> bool:
        found = simulated.play(plan)
        return found is not None and found.law == law

    small = shrink(simulated.plan(seed), breaks)
    return Found(kind, seed, small, simulated.play(small) or violation)


@contextmanager
def _quiet() -> Iterator[None]:
    """What the code under test logs of its troubles is of no interest in a thousand histories."""
    before, configured = logging.root.manager.disable, structlog.get_config()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        logging.disable(before)
        structlog.configure(**configured)
