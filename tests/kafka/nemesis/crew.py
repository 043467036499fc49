"""This module is the workers of a run of composed faults: each with a link and a clock of its own, and a supervisor."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from tests.kafka.faults.detour import VARIABLE
from tests.kafka.faults.proxy import Proxies
from tests.kafka.faults.scene import STOP_S
from tests.kafka.nemesis.clock import OwnClock
from tests.kafka.nemesis.history import History
from tests.kafka.pipeline import Pipeline
from tests.kafka.supervisor import supervised
from tests.kafka.worker import Worker

#: Those that a fault may take away, and those that may join.
LEAST, MOST = 1, 4


@dataclass(slots=True)
class Member:
    """One worker, with a link and a clock of its own."""

    worker: Worker
    link: Proxies
    clock: OwnClock
    taken: bool = False


@dataclass(slots=True)
class Crew:
    """Starts and ends workers. Whoever ends by itself is started again, as a supervisor would do."""

    pipeline: Pipeline
    ports: tuple[int, ...]
    history: History
    killed: dict[str, int] = field(default_factory=dict)
    ended_badly: list[str] = field(default_factory=list)
    _members: list[Member] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def members(self) -> list[Member]:
        """Those that nobody has ended."""
        with self._lock:
            return list(self._members)

    def start(self) -> Member:
        """Start a worker without waiting for it."""
        with self._lock:
            link = Proxies(self.ports)
            link.__enter__()
            clock = OwnClock(self.pipeline.folder / f"clock-{len(self.pipeline.workers)}")
            environment = {VARIABLE: json.dumps(link.ports), **clock.environment()}
            worker = self.pipeline.start(wait=False, module="tests.kafka.faults.detour", **environment)
            member = Member(worker, link, clock)
            self._members.append(member)
        self.history.note("started", worker=member.worker.name)
        return member

    def kill(self, member: Member) -> None:
        """SIGKILL; nobody starts it again."""
        self._forget(member)
        member.worker.signal(signal.SIGKILL)
        self.killed[member.worker.access_key] = int(time.time() * 1000)
        member.worker.wait()

    def stop(self, member: Member) -> None:
        """SIGTERM; what ends late or with another exit code than 0 is noted. One that has not begun just ends."""
        self._forget(member)
        allowed = {0} if member.worker.log.stat().st_size else {0, -signal.SIGTERM}
        member.worker.signal(signal.SIGTERM)
        began = time.monotonic()
        try:
            code: int | str = member.worker.wait(4 * STOP_S)
        except subprocess.TimeoutExpired:
            code = "no end"
        seconds = round(time.monotonic() - began, 1)
        self.history.note("stopped", worker=member.worker.name, code=code, seconds=seconds)
        if code not in allowed:
            self.ended_badly.append(f"{member.worker.name}, asked to stop: {code}")

    @contextmanager
    def one(self, whom: float) -> Iterator[Member | None]:
        """One of those that no fault has in its hands, picked by `whom`; None when there is none."""
        with self._lock:
            free = [one for one in self._members if not one.taken and one.worker.process.poll() is None]
            member = free[int(whom * len(free))] if free else None
            if member is not None:
                member.taken = True
        try:
            yield member
        finally:
            if member is not None:
                member.taken = False

    def supervised(self) -> AbstractContextManager[None]:
        """Start anew whoever ends by itself."""
        return supervised(self._supervise)

    def close(self) -> None:
        """Close every link."""
        for member in self.members:
            member.link.__exit__(None, None, None)

    def _supervise(self) -> None:
        for member in self.members:
            code = member.worker.process.poll()
            if code is not None and self._forget(member):
                self.history.note("ended", worker=member.worker.name, code=code)
                self.ended_badly.append(f"{member.worker.name}, by itself: {code}")
                self.start()

    def _forget(self, member: Member) -> bool:
        with self._lock:
            if member not in self._members:
                return False
            self._members.remove(member)
            return True
