"""This module plays a history and holds it against the laws."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, NoReturn
from unittest import mock

from faust.types import TP

from streams.faust_patches import partitions
from tests.simulation.clock import StandstillError, VirtualLoop, virtual_time
from tests.simulation.kafka import CHANGELOG, Group, Log, Name
from tests.simulation.plan import TROUBLED_S, Plan, Step
from tests.simulation.worker import ACKS_IN_S, Worker

TOPIC = Name("validated")

#: Seconds after the last trouble by which everything has ended.
PATIENCE_S = 120.0

#: Seconds after which a supervisor has started a worker again.
RESTART_S = 1.5

WORKERS = 2

#: Seconds in which what has ended is committed, or noted beside a commit, when nothing holds up commits.
COMMITTED_S = 1.2

#: What holds up commits: then more comes again.
HOLDS_UP = {"cut", "frozen", "commit unanswered"}


class DiedError(Exception):
    """The process has ended."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that a history broke."""

    law: str
    words: str
    at: float

    def __str__(self) -> str:
        return f"broken after {self.at:.3f} s: {self.law}\n  {self.words}"


def _arrivals(offsets: tuple[int, ...], committed: int, chance: Random) -> list[float]:
    """When the records of a partition are written: some are there, the others come in bursts."""
    bursts = sorted(chance.uniform(0, TROUBLED_S) for _ in range(3))
    times = sorted(chance.choice((0.0, *bursts)) for _ in offsets)
    return [0.0 if offset <= committed else at for offset, at in zip(offsets, times, strict=True)]


class World:
    """Kafka, workers and what becomes of them in one history."""

    worker: type[Worker] = Worker

    #: Modules that end the process when they meet a bug.
    dying: tuple[Any, ...] = (partitions,)

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self.plan, self.loop = plan, loop
        self.violation: Violation | None = None
        self.over = asyncio.Event()
        self.ended: dict[TP, set[int]] = {}
        self.workers: list[Worker] = []
        self.events: dict[TP, Log] = {}
        logs: dict[TP, Log] = {}
        committed = {}
        for number, offsets in enumerate(plan.logs):
            times = _arrivals(offsets, plan.committed[number], Random(plan.seed * 31 + number))
            tp = TP(TOPIC, number)
            self.events[tp] = logs[tp] = Log(offsets, times, plan.ends[number])
            logs[TP(CHANGELOG, number)] = Log(range(9), [0.0] * 9, 9)
            committed[tp] = (plan.committed[number], "")
            self.ended[tp] = set()
        self.first = {tp: max(offset, 0) for tp, (offset, _) in committed.items()}
        self.group = Group(logs, self.chance("group"), committed, self._committed)
        self._number = 0
        self._ended_by: dict[tuple[TP, int], tuple[Worker, float]] = {}

    def chance(self, whose: str) -> Random:
        """Chance of somebody's own: what others do, or a step less, does not change it."""
        return Random(f"{self.plan.seed} {whose}")

    # What happens.

    def start_worker(self) -> None:
        """Another worker, with nothing in memory."""
        self._number += 1
        worker = self.worker(self, f"worker {self._number}")
        self.workers.append(worker)
        worker.start()

    def record(self, tp: TP, offset: int) -> tuple[bytes, bytes, list[Any]]:
        """Value, key and headers of a record."""
        key = self.key(tp, offset)
        return b"%d/%d" % (tp.partition, offset), key, []

    def key(self, tp: TP, offset: int) -> bytes:
        """The interaction of an event."""
        return b"%d-%d" % (tp.partition, offset * 7919 % self.plan.keys)

    def settled(self, tp: TP, offset: int, worker: Worker) -> None:
        """An event has ended: it is where it belongs."""
        self.ended[tp].add(offset)
        if not worker.revoking:  # what ends while it is revoked may be too late for its last commit
            self._ended_by.setdefault((tp, offset), (worker, self.loop.time()))

    def given(self, tp: TP, offset: int) -> None:
        """An event is given to a stage, maybe again: that takes a kill right after it had ended."""
        ended = self._ended_by.get((tp, offset))
        if ended is None or self.is_held_up():
            return
        worker, at = ended
        if worker.killed_at is None or not at <= worker.killed_at <= at + COMMITTED_S:
            words = f"{tp.partition}/{offset}, which {worker.name} ended at {at:.3f}"
            self.violated("what ended comes again only after a kill right behind it", words)

    def strike(self, step: Step) -> None:  # noqa: C901  # a fault, a case
        """Let something go wrong."""
        alive = [worker for worker in self.workers if not worker.wire.dead]
        if not alive:
            return
        worker = alive[step.worker % len(alive)]
        match step.what:
            case "kill":
                self._soon(worker.kill, int(step.much * 97) % 25)
                self.loop.call_later(RESTART_S, self.start_worker)
            case "join" if len(alive) < WORKERS + 2:
                self.start_worker()
            case "leave" if not worker.leaving:
                worker.leaving = True
                worker.spawn(worker.leave())
                self.loop.call_later(RESTART_S, self.start_worker)
            case "join" | "leave":
                pass
            case "cut":
                worker.cut(step.much)
            case "frozen":
                worker.freeze(2 * step.much)
            case "rebalance":
                self.group.change()
            case "partitions paused":
                worker.pause_for(step.much)
            case "pause":
                worker.held_until = self.loop.time() + step.much
            case "slow ack":
                worker.acks_in_s = step.much
                self.loop.call_later(step.much, setattr, worker, "acks_in_s", ACKS_IN_S)
            case fault:
                worker.thread.faults[fault] += 3

    def _soon(self, action: Any, turns: int) -> None:
        """After so many turns of the loop, so that it meets any await."""
        if turns:
            self.loop.call_soon(self._soon, action, turns - 1)
        else:
            action()

    def die(self, where: str, error: BaseException) -> NoReturn:
        """What ends a process for a bug: there is none to be met."""
        self.violated("no worker ends for a bug", f"{where}: {error!r}", error)
        raise DiedError

    # The laws.

    def is_held_up(self) -> bool:
        """Whether commits wait for something in this history."""
        return any(step.what in HOLDS_UP for step in self.plan.steps)

    def violated(self, law: str, words: str, error: BaseException | None = None) -> None:
        """Note the first law that is broken; the history is over then."""
        if self.violation is None:
            trace = "".join(traceback.format_exception(error)[-6:]) if error else ""
            self.violation = Violation(law, words + (f"\n{trace}" if trace else ""), self.loop.time())
            self.over.set()

    def _committed(self, tp: TP, offset: int, metadata: str) -> None:
        passed = {one for one in self.events[tp].offsets if self.first[tp] <= one < offset} - self.ended[tp]
        if passed:
            self.violated("no commit passes an unsettled event", f"{tp} commits {offset}, unsettled {sorted(passed)}")
        before = self.group.committed[tp][0]
        if offset < before:
            self.violated("no commit goes back", f"{tp} commits {offset} after {before}")

    def left(self) -> str:
        """What has not ended or is not committed."""
        words = []
        for tp, log in self.events.items():
            missing = {one for one in log.offsets if one >= self.first[tp]} - self.ended[tp]
            committed = self.group.committed[tp][0]
            if missing:
                words.append(f"{tp.partition} not delivered: {sorted(missing)}")
            elif committed <= max(log.offsets):
                words.append(f"{tp.partition} committed {committed} of {log.end}")
        return "; ".join(words)

    async def play(self) -> None:
        """From the start of two workers until all has ended, or a law is broken."""
        group = self.loop.create_task(self.group.run())
        for _ in range(WORKERS):
            self.start_worker()
        for step in self.plan.steps:
            self.loop.call_at(step.at, self.strike, step)
        last = max((step.at for step in self.plan.steps), default=0.0)
        try:
            while self.violation is None:
                try:
                    async with asyncio.timeout(1.0):
                        await self.over.wait()
                except TimeoutError:
                    pass
                now = self.loop.time()
                if group.done():
                    self.violated("the simulated group works", repr(group.exception()), group.exception())
                if now > last and not self.left():
                    self.at_end()
                    return
                if now > last + TROUBLED_S + PATIENCE_S:
                    self.violated("in the end all is delivered and committed", self.left())
        finally:
            group.cancel()
            for worker in self.workers:
                worker.kill()

    def at_end(self) -> None:
        """Laws of a history's end."""


def play(plan: Plan, kind: type[World] = World, ended: Callable[[float], None] = lambda at: None) -> Violation | None:
    """Play a history: the law that it breaks, if any; `ended` hears how long it took by its own clock."""
    gc.freeze()  # a stop collects garbage: let it look at this history's alone
    with virtual_time(plan.seed) as loop, ExitStack() as patches:
        world = kind(plan, loop)
        for module in kind.dying:
            patches.enter_context(mock.patch.object(module, "die", world.die))
        try:
            loop.run_until_complete(world.play())
        except StandstillError:
            world.violated("something always happens", world.left())
        ended(loop.now)
        if world.violation is None and loop.errors:
            world.violated("no error is swallowed", str(loop.errors[0]))
        return world.violation
