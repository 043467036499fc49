"""This module runs cases one after the other: the workers of the next one start while the last one's stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.preparation import Prepared, prepare
from tests.kafka.faults.runner import Result, run
from tests.kafka.pipeline import WaitedInVainError

#: Takes the name of a case and what there is to say of it.
Say = Callable[[str, str], None]


class Suite:
    """Cases on one cluster. Nothing of two cases is measured at the same time."""

    def __init__(self, cluster: KafkaCluster, events: int, folder: Path, say: Say) -> None:
        self._cluster = cluster
        self._events = events
        self._folder = folder
        self._say = say
        self._next: Prepared | None = None

    def run(self, names: Sequence[str]) -> Iterator[Result]:
        """Each case's result as it comes."""
        try:
            for number in range(len(names)):
                yield self._case(names, number)
        finally:
            if self._next is not None:
                self._next.close()

    def _case(self, names: Sequence[str], number: int) -> Result:
        began, name = time.monotonic(), names[number]

        def say(what: str) -> None:
            self._say(name, f"{time.monotonic() - began:5.1f} s  {what}")

        prepared, self._next = self._next or self._prepare(names, number), None
        try:
            result = run(prepared, say, lambda: self._start_next(names, number + 1))
        finally:
            prepared.close()
        say(str(result))
        return result

    def _start_next(self, names: Sequence[str], number: int) -> None:
        if number < len(names):
            try:
                self._next = self._prepare(names, number)
            except WaitedInVainError as error:
                self._say(names[number], f"will be started once more: {error}")

    def _prepare(self, names: Sequence[str], number: int) -> Prepared:
        return prepare(CASES[names[number]], self._cluster, self._events, self._folder / f"{number:02}-{names[number]}")


def run_all(names: Sequence[str], events: int, folder: Path, say: Say) -> list[Result]:
    """The results of all cases, on a cluster of their own."""
    with KafkaCluster(brokers=3) as cluster:
        return list(Suite(cluster, events, folder, say).run(names))
