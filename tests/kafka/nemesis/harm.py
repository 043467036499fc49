"""This module does the faults of a schedule to a pipeline, each as a context that lasts as long as the fault does.

A context gives who was struck, or None where nobody could be.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.proxy import Proxies
from tests.kafka.nemesis import clock
from tests.kafka.nemesis.crew import LEAST, MOST, Crew
from tests.kafka.nemesis.schedule import Step

#: Seconds that brokers get to be whole again, on a machine that does much else.
BACK_S = 300.0

#: What is asked of the AWS emulator; `figure` of the step fills the rest in.
ENTRIES: dict[str, Callable[[float], dict[str, Any]]] = {
    "throttled": lambda share: {"code": "ThrottlingException", "share": share},
}
REQUESTS: dict[str, Callable[[float], dict[str, Any]]] = {
    "answers-500": lambda _: {"kind": "internal"},
    "access-denied": lambda _: {"kind": "answer", "status": 400, "code": "AccessDeniedException"},
    "hangs": lambda _: {"kind": "hang"},
    "accepted-dropped": lambda share: {"kind": "drop", "share": share},
    "dropped": lambda share: {"kind": "drop_early", "share": share},
    "slow": lambda ms: {"kind": "slow", "latency_ms": ms},
    "queue-down": lambda _: {"kind": "unavailable", "service": "sqs"},
}


@dataclass(slots=True)
class Harm:
    """`between`: for each broker what stands between it and those that ask it for its log."""

    cluster: KafkaCluster
    crew: Crew
    between: tuple[Proxies, ...]
    _aws: dict[Step, None] = field(default_factory=dict)
    _aws_lock: threading.Lock = field(default_factory=threading.Lock)
    _brokers: threading.Lock = field(default_factory=threading.Lock)

    def of(self, step: Step) -> AbstractContextManager[str | None]:
        """The context of a step."""
        if step.kind.room == "aws":
            return self._of_aws(step)
        if step.kind.room == "broker":
            return self._of_broker(step)
        if step.kind.room == "group":
            return self._of_group(step)
        return self._of_worker(step)

    @contextmanager
    def _of_worker(self, step: Step) -> Iterator[str | None]:
        with self.crew.one(step.whom) as member:
            name = step.kind.name
            if member is None or (name == "clock-jump" and clock.compiled() is None):
                yield None
                return
            worker = member.worker
            if name == "killed":
                self.crew.kill(member)
            elif name == "frozen":
                worker.signal(signal.SIGSTOP)
            elif name == "cut-off":
                member.link.cut()
            elif name == "slow-link":
                member.link.slow(step.figure)
            else:
                member.clock.set(step.figure)
            try:
                yield worker.name
            finally:
                if name == "killed":
                    self.crew.start()
                elif worker.process.poll() is None:
                    worker.signal(signal.SIGCONT)
                    member.clock.set(0)
                    member.link.slow(0)
                    member.link.restore()

    @contextmanager
    def _of_group(self, step: Step) -> Iterator[str | None]:
        if step.kind.name == "joins":
            yield self.crew.start().worker.name if len(self.crew.members) < MOST else None
            return
        with self.crew.one(step.whom) as member:
            leaves = member if len(self.crew.members) > LEAST else None
            yield None if leaves is None else leaves.worker.name
            if leaves is not None:
                self.crew.stop(leaves)

    @contextmanager
    def _of_broker(self, step: Step) -> Iterator[str | None]:
        with self._brokers:
            index = int(step.whom * self.cluster.brokers)
            name, cluster = step.kind.name, self.cluster
            if name == "broker-killed":
                cluster.stop_broker(index, kill=True)
            elif name == "broker-frozen":
                cluster.freeze_broker(index)
            elif name == "broker-cut":
                self.between[index].cut()
            try:
                yield "every broker" if name == "rolling-restart" else f"broker {index}"
                if name == "rolling-restart":
                    self._restart_each()
            finally:
                if name == "broker-killed":
                    cluster.start_broker(index)
                elif name == "broker-frozen":
                    cluster.thaw_broker(index)
                self.between[index].restore()
                cluster.wait_ready(timeout=BACK_S)  # before the next one: two of three disks must be whole

    def _restart_each(self) -> None:
        for index in range(self.cluster.brokers):
            self.cluster.stop_broker(index)
            self.cluster.start_broker(index)
            self.cluster.wait_ready(timeout=BACK_S)

    @contextmanager
    def _of_aws(self, step: Step) -> Iterator[str | None]:
        with self._aws_lock:
            self._aws[step] = None
            self._tell_aws()
        try:
            yield "aws"
        finally:
            with self._aws_lock:
                del self._aws[step]
                self._tell_aws()

    def _tell_aws(self) -> None:
        """Rules that strike all come last: one that strikes a share would not be heard of otherwise."""
        steps = sorted(self._aws, key=lambda step: not step.figure)
        self.crew.pipeline.aws_faults(
            {
                "entries": [ENTRIES[step.kind.name](step.figure) for step in steps if step.kind.name in ENTRIES],
                "requests": [REQUESTS[step.kind.name](step.figure) for step in steps if step.kind.name in REQUESTS],
            }
        )
