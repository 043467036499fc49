"""This module is Kafka as a worker meets it: logs with holes, a group with generations, commits, wires that fail."""

from __future__ import annotations

import asyncio
import math
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from aiokafka.errors import CommitFailedError
from faust.types import TP

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

SESSION_S = 8.0
REBALANCE_S = 30.0


class Name(str):
    """A topic whose hash is the same in every process: the order of sets decides what happens first."""

    __slots__ = ()

    def __hash__(self) -> int:
        return zlib.crc32(self.encode())


CHANGELOG = Name("totals-changelog")


@dataclass(slots=True)
class Wire:
    """A process's connection: every call takes a while; while it is cut, until it is fixed, and once dead for ever."""

    chance: Random
    slow: float = 0.0
    cut: asyncio.Event | None = None
    dead: bool = False

    async def cross(self, usual: float = 0.004) -> None:
        """One way over the wire."""
        seconds = self.chance.random() * (usual + self.slow)
        await asyncio.sleep(seconds if self.chance.random() < 0.8 else 0)
        if self.cut is not None:
            await self.cut.wait()
        if self.dead:
            await asyncio.get_running_loop().create_future()


class Log:
    """A partition's log: offsets, when each is there, and what is behind the last one."""

    def __init__(self, offsets: Sequence[int], times: Sequence[float], end: int) -> None:
        self.offsets, self.times, self.end = list(offsets), list(times), end
        self.beginning = self.offsets[0]

    def seen(self, now: float) -> int:
        """How many are there."""
        return bisect_right(self.times, now)

    def ahead(self, position: int, now: float) -> list[int]:
        """What is there from a position on."""
        return self.offsets[bisect_left(self.offsets, position) : self.seen(now)]

    def end_at(self, now: float) -> int:
        """What is behind the last one by now, markers included."""
        seen = self.seen(now)
        if seen == len(self.offsets):
            return self.end
        return self.offsets[seen - 1] + 1 if seen else self.beginning

    def next_arrival(self, now: float) -> float:
        """When there is more."""
        seen = self.seen(now)
        return self.times[seen] if seen < len(self.times) else math.inf


@dataclass(slots=True)
class Group:
    """The consumer group: who is in it, who has what, what is committed."""

    logs: dict[TP, Log]
    chance: Random
    committed: dict[TP, tuple[int, str]]
    on_commit: Callable[[TP, int, str], None]
    generation: int = 0
    members: list[Worker] = field(default_factory=list)
    rebalances: int = 0
    _settled: set[Worker] = field(default_factory=set)
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def next_arrival(self, now: float) -> float:
        """When there is something new in a log."""
        return min((log.next_arrival(now) for log in self.logs.values()), default=math.inf)

    def change(self) -> None:
        """Have the partitions given out anew."""
        self._change.set()

    def join(self, worker: Worker) -> None:
        self.members.append(worker)
        self.change()

    def evict(self, worker: Worker) -> None:
        """Count a worker as gone."""
        if worker in self.members:
            self.members.remove(worker)
            worker.evicted_at = worker.world.loop.time()
            self.change()

    def commit(self, worker: Worker, generation: int, offsets: dict[TP, Any]) -> None:
        """Take a commit, of who is in the group by its own knowledge. Raises CommitFailedError."""
        if worker not in self.members or generation != self.generation:
            raise CommitFailedError("the group has already rebalanced")
        for tp, noted in offsets.items():
            self.on_commit(tp, noted.offset, noted.metadata)
            self.committed[tp] = (noted.offset, noted.metadata)

    async def run(self) -> None:
        """Give partitions out whenever members have changed."""
        while True:
            await self._change.wait()
            self._change.clear()
            await self._rebalance()

    async def _rebalance(self) -> None:
        self.rebalances += 1
        revoking = {member: member.spawn(member.revoke()) for member in self.members if not member.wire.dead}
        if revoking:
            await asyncio.wait(revoking.values(), timeout=REBALANCE_S)
        late = [member for member, task in revoking.items() if not task.done() and not member.wire.dead]
        for member in late:  # it joins again when it has done
            self.members.remove(member)
            revoking[member].add_done_callback(lambda _, member=member: member.wire.dead or self.join(member))
        self.generation += 1
        ready = [member for member in self.members if member in revoking and member not in late]
        shares: dict[Worker, set[TP]] = {member: set() for member in ready}
        tps = sorted(self.logs)
        self.chance.shuffle(tps)
        for number, tp in enumerate(tps):
            if tp.topic != CHANGELOG and ready:
                shares[ready[number % len(ready)]].add(tp)
        for member, share in shares.items():
            if share:
                share.add(TP(CHANGELOG, min(tp.partition for tp in share)))
            member.assigning = member.spawn(member.assign(share, self.generation))
        await asyncio.sleep(self.chance.random() * 0.2)
