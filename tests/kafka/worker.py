"""This module is one worker process as its operator sees it, and waiting for what it should come to."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests import forked, http

Process = subprocess.Popen[bytes] | forked.Process


class WaitedInVainError(AssertionError):
    """What was waited for did not come; the text says what was there instead."""


def wait_until(what: str, holds: Callable[[], Any], timeout: float = 120.0) -> Any:
    """Ask until the answer is truthy, and give it."""
    ends = time.monotonic() + timeout
    while not (answer := holds()):
        if time.monotonic() > ends:
            raise WaitedInVainError(f"{what} did not come within {timeout:g} s; last answer: {answer!r}")
        time.sleep(0.1)  # between two looks at the condition
    return answer


@dataclass(slots=True)
class Worker:
    """One worker process."""

    name: str
    port: int
    log: Path
    process: Process
    access_key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, token: str | None = None) -> httpx.Response | None:
        """An answer of its web views; None while it does not answer."""
        try:
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            return http.get(f"{self.url}{path}", timeout=5, headers=headers)
        except httpx.TransportError:
            return None

    def answer(self, path: str) -> httpx.Response:
        """An answer of its web views, as soon as it gives one."""
        found: httpx.Response = wait_until(f"an answer of {self.name} to {path}", lambda: self.get(path))
        return found

    def ready(self) -> bool:
        """Whether it says that all is healthy."""
        if self.process.poll() is not None:
            raise WaitedInVainError(f"{self.name} ended with {self.process.returncode}: {self.tail()}")
        answer = self.get("/health/ready")
        return answer is not None and answer.status_code == 200

    def tail(self, lines: int = 5) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 30.0) -> int:
        """Exit code, when it has ended."""
        return self.process.wait(timeout)

    def stop(self) -> None:
        """SIGTERM, and a good end."""
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.tail()
