"""This module has drafts of routes tried, one at a time, in a process of its own that stays for the next.

What somebody types may do anything: it is bounded in CPU time, memory and the time that it may be waited for, and
what ends the process is told as a fault of the text. The process ends when nobody has asked for a while.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from processors.event.strict_json import JsonObject
from processors.routes.draft import Draft
from streams.routes.sandbox import protocol
from streams.routes.sandbox.child_process import Child
from streams.routes.sandbox.mapping_process import how_it_ended

#: Drafts that wait at most, behind the one that is tried; who comes then is sent away.
MAX_WAITING = 4

#: Seconds in which a draft is tried, beside some times what one evaluation may take. CPU time bounds it before.
PATIENCE_S = 20.0


class TooManyDraftsError(Exception):
    """Too many drafts wait."""


@dataclass(frozen=True, slots=True)
class DraftLimits:
    """Seconds of one evaluation, bytes of memory in all, bytes of an answer."""

    timeout_s: float
    memory_bytes: int
    max_bytes: int


class DraftRunner:
    """Tries drafts. `close` when nobody asks any more."""

    #: Seconds without a draft, and drafts, after which a process ends.
    idle_s, max_drafts = 120.0, 500

    def __init__(self, limits: DraftLimits) -> None:
        self._limits = limits
        self._child: Child | None = None
        self._tried = 0
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return None if self._child is None or self._child.ended else self._child.pid

    async def attempt(self, draft: Draft, event: str, received_at: int, event_id: str | None = None) -> JsonObject:
        """What the draft makes of an event (processors/routes/draft.py). Raises TooManyDraftsError or SandboxError."""
        if self._waiting > MAX_WAITING:
            raise TooManyDraftsError("others are trying routes here just now; ask again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                asked = {"draft": asdict(draft), "event": event, "received_at": received_at, "event_id": event_id}
                return await self._attempt(asked)
        finally:
            self._waiting -= 1
            self._set_timer()

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if self._idle is not None:
            self._idle.cancel()
        if child is not None and not child.ended:
            child.kill()

    async def _attempt(self, asked: JsonObject) -> JsonObject:
        child = await self._running()
        step: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE_S + 10 * self._limits.timeout_s):
                await child.send(protocol.DRAFT, orjson.dumps(asked))
                while True:
                    kind, body = await child.hear()
                    if kind == protocol.TRIED:
                        return dict(orjson.loads(body))
                    if kind != protocol.STEP:
                        raise ValueError(f"a frame of kind {kind!r}")
                    step = orjson.loads(body)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._child = None
            if isinstance(error, TimeoutError | ValueError):
                child.kill()
            return self._broken(step, await child.end(), error)
        except BaseException:  # cancelled: what is still on its way must not be taken for the next answer
            child.kill()
            raise

    async def _running(self) -> Child:
        self._tried += 1
        if self._child is not None and not self._child.ended and self._tried > self.max_drafts:
            await self._child.end()
        if self._child is None or self._child.ended:
            self._child = await Child.prepared("the process that tries drafts", protocol.DRAFTS, self._limits)
            self._tried = 1
        return self._child

    def _set_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self.idle_s, self._end_idle) if self._child else None

    def _end_idle(self) -> None:
        if self._child is not None and not self._waiting:
            self._child.kill()
            self._child = None

    def _broken(self, step: list[str], code: int, error: BaseException) -> JsonObject:
        """What is told of the draft over which the process ended."""
        part, doing = step or ("mapping", "evaluate")
        limits = self._limits
        what = "compiling it" if doing == "compile" else "one event"
        if code == -signal.SIGPROF or isinstance(error, TimeoutError):
            kind, message = "Timeout", f"{what} takes longer than a route may ({limits.timeout_s:g} s an evaluation)"
        elif code in (protocol.EXIT_MEMORY, -signal.SIGABRT):
            kind, message = "Crash", f"{what} takes more than {limits.memory_bytes} bytes of memory"
        else:
            kind, message = "Crash", f"the process that tried it {how_it_ended(code)}"
        stage: Any = {"filter": "filter", "mapping": "transform"}.get(part, "validate")
        fault = {"part": part, "message": message, "line": None, "column": None}
        return {
            "outcome": "failed",
            "takes": None,
            "engine": None,
            "transformedEvent": None,
            "errors": [fault],
            "details": [],
            "stage": stage,
            "error": f"{'Filter' if part == 'filter' else 'Mapping'}{kind}",
            "message": message,
        }
