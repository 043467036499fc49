"""This module is the scene of a fault: cluster, pipeline, flowing events, a supervisor of the workers."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from tests import http
from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.credentials import CredentialsAgent
from tests.kafka.faults.flow import Flow
from tests.kafka.pipeline import Pipeline, WaitedInVainError, Worker, wait_until
from tests.kafka.supervisor import supervised

#: Seconds in which a worker that is asked to stop has to end (the promise for SIGTERM with full buffers).
STOP_S = 15.0

BEGUN = 20


@dataclass(slots=True)
class Scene:
    """What a case gets.

    `over_ms` is when the fault ended (epoch ms), `due` how many events were given by then. `killed`: access keys of
    workers that were killed, and when (epoch ms). `share`: of the time that a fault of AWS or Genesys lasts, as long
    as its kind does not hang on it.
    """

    cluster: KafkaCluster
    pipeline: Pipeline
    flow: Flow
    genesys: str = ""
    agent: CredentialsAgent | None = None
    share: float = 1.0
    exits: ExitStack = field(default_factory=ExitStack)
    over_ms: int = 0
    due: int = 0
    restarts: int = 0
    uncounted: int = 0
    notes: list[str] = field(default_factory=list)
    killed: dict[str, int] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)

    @property
    def workers(self) -> list[Worker]:
        """The workers that nobody has ended."""
        return [worker for worker in self.pipeline.workers if worker.name not in self._gone]

    def over(self) -> None:
        """Note that the fault ends now."""
        self.over_ms, self.due = int(time.time() * 1000), self.flow.given

    def proven(self, what: str, figure: int) -> None:
        """Note what shows that the fault struck. Raises WaitedInVainError when nothing does."""
        if figure <= 0:
            raise WaitedInVainError(f"the fault did not strike: {figure} {what}")
        self.notes.append(f"{figure} {what}")

    def hold(self, seconds: float) -> None:
        """Let a fault last so long, or the share of it that this scene gives it."""
        hold(seconds * self.share)

    def wait_for_flow(self) -> None:
        """Wait until events arrive on the bus."""
        wait_until("the flow to begin", lambda: self.pipeline.on_bus() >= BEGUN)

    def kill(self, worker: Worker) -> None:
        """SIGKILL; nobody starts it again."""
        self._gone.add(worker.name)
        worker.signal(signal.SIGKILL)
        self.killed[worker.access_key] = int(time.time() * 1000)
        worker.wait()

    def stop(self, *workers: Worker) -> float:
        """SIGTERM; gives the seconds that the last one took. Raises WaitedInVainError for a bad end."""
        began = time.monotonic()
        for worker in workers:
            self._gone.add(worker.name)
            worker.signal(signal.SIGTERM)
        for worker in workers:
            code = _end_of(worker, began + STOP_S - time.monotonic())
            if code != 0:
                raise WaitedInVainError(f"{worker.name} ended with {code} instead of 0: {worker.tail()}")
        return time.monotonic() - began

    def aws_faults(self, *, entries: Sequence[dict[str, Any]] = (), requests: Sequence[dict[str, Any]] = ()) -> None:
        """Put these AWS faults into force, and take all others away."""
        self.pipeline.aws_faults({"entries": list(entries), "requests": list(requests)})

    def genesys_control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Use the remote control of the Genesys emulator; gives its answer."""
        answer = http.request(method, f"{self.genesys}/_emulator/{path}", json=body).raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def supervised(self) -> AbstractContextManager[None]:
        """Start each worker again that ends by itself, as a supervisor would; `restarts` counts them."""
        return supervised(self._supervise)

    def _supervise(self) -> None:
        for worker in self.workers:
            code = worker.process.poll()
            if code is not None and worker.name not in self._gone:
                self._gone.add(worker.name)
                self.restarts += 1
                self.notes.append(f"{worker.name} ended with {code}")
                self.pipeline.start(wait=False)


def _end_of(worker: Worker, patience: float) -> int:
    try:
        return worker.wait(max(patience, 0.0))
    except subprocess.TimeoutExpired as error:
        raise WaitedInVainError(f"{worker.name} did not end: {worker.tail()}") from error


def hold(seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Let a fault last so long; `meanwhile` is done about four times a second."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        meanwhile()
        time.sleep(min(0.25, max(0.0, ends - time.monotonic())))  # the fault's own length
