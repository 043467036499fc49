"""This module runs cases on one cluster, in one lane or more; in each, the next case starts while the last one ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.preparation import MAX_RATE, Prepared, prepare
from tests.kafka.faults.runner import Result, run
from tests.kafka.pipeline import WaitedInVainError

#: Takes the name of a case and what there is to say of it.
Say = Callable[[str, str], None]


@dataclass(slots=True)
class CaseRunner:
    """Runs cases one after the other. Nothing of two of them is measured at the same time.

    `measured`: see Pipeline.
    """

    cluster: KafkaCluster
    events: int
    folder: Path
    say: Say
    share: float = 1.0
    rate: float = MAX_RATE
    measured: bool = True
    _now: Prepared | None = None
    _next: Prepared | None = None
    _closed: bool = False
    _done: list[Result] = field(default_factory=list)

    def run(self, names: Sequence[str]) -> list[Result]:
        """The results of these cases, in their order; fewer when the lane is closed meanwhile."""
        for number in range(len(names)):
            if not self._closed:
                self._done.append(self._case(names, number))
        return self._done

    def close(self) -> None:
        """End what runs; the case that it belongs to fails by that."""
        self._closed = True
        for prepared in (self._now, self._next):
            if prepared is not None:
                prepared.close()

    def _case(self, names: Sequence[str], number: int) -> Result:
        began, name = time.monotonic(), names[number]

        def say(what: str) -> None:
            self.say(name, f"{time.monotonic() - began:5.1f} s  {what}")

        self._now, self._next = self._next or self._prepare(name), None
        try:
            result = run(self._now, say, lambda: self._start_next(names[number + 1 : number + 2]))
        finally:
            self._now.close()
        say(str(result))
        return result

    def _start_next(self, names: Sequence[str]) -> None:
        for name in names if not self._closed else ():
            try:
                self._next = self._prepare(name)
            except WaitedInVainError as error:
                self.say(name, f"will be started once more: {error}")

    def _prepare(self, name: str) -> Prepared:
        folder = self.folder / name
        return prepare(CASES[name], self.cluster, self.events, folder, self.share, self.rate, measured=self.measured)


def run_all(
    names: Sequence[str], events: int, folder: Path, say: Say, lanes: int = 1, rate: float = MAX_RATE
) -> list[Result]:
    """The results of all cases, on a cluster of their own; those that harm it run while no other one does."""
    alone = [name for name in names if CASES[name].alone]
    beside = [name for name in names if not CASES[name].alone]
    with KafkaCluster(brokers=3) as cluster:
        results = side_by_side([CaseRunner(cluster, events, folder, say, rate=rate) for _ in range(lanes)], beside)
        results += side_by_side([CaseRunner(cluster, events, folder, say, rate=rate)], alone)
    return sorted(results, key=lambda result: names.index(result.case))


def side_by_side(lanes: Sequence[CaseRunner], names: Sequence[str]) -> list[Result]:
    """Share the cases among the lanes, those that take longest first, so that the lanes end together."""
    shares: list[list[str]] = [[] for _ in lanes]
    for name in sorted(names, key=lambda name: -CASES[name].seconds):
        min(shares, key=lambda share: sum(CASES[one].seconds for one in share)).append(name)
    pool = ThreadPoolExecutor(len(lanes))
    try:
        running = [pool.submit(lane.run, share) for lane, share in zip(lanes, shares, strict=True)]
        return [result for lane in running for result in lane.result()]
    finally:
        for lane in lanes:  # of an interruption: what runs in the lanes must not outlive it
            lane.close()
        pool.shutdown(wait=False)
