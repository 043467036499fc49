"""This module has routes tried in a process of its own, so that none can hold up or fill the worker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import orjson

from processors.routes.route import RouteTexts
from streams.routes.sandbox import protocol
from streams.routes.sandbox.mapping_process import ENVIRONMENT, SILENCE_S, SandboxError
from streams.routes.sandbox.trial_process import COMPILE_S

#: Signals by which somebody else ends a process: they tell nothing of the route.
FOREIGN = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """What a trial may take: seconds for one evaluation of an example, bytes in all."""

    timeout_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """What came of a route: an engine, or what is wrong. `failing`: what is wrong is how an example ended."""

    engine: str = ""
    engine_reason: str = ""
    wrong: str = ""
    failing: bool = False


@dataclass(slots=True)
class _Heard:
    """What a process has said: of routes, in order, and what it began last."""

    verdicts: list[TrialVerdict] = field(default_factory=list)
    route: str | None = None
    example: str | None = None

    def take(self, line: bytes) -> None:
        told = orjson.loads(line)
        if not isinstance(told, dict):
            raise ValueError("no object")
        wrong = told.get("failing") or told.get("wrong")
        if wrong or "engine" in told:
            self.verdicts.append(
                TrialVerdict(told.get("engine", ""), told.get("reason", ""), wrong or "", "failing" in told)
            )
            self.route = None
        else:
            self.route, self.example = told["route"], told.get("example")


async def try_routes(texts: Sequence[RouteTexts], bounds: TrialLimits) -> list[TrialVerdict]:
    """One verdict for each route, in order. A route that ends the process is wrong; a new one tries the others.

    Raises SandboxError when the process does not start, or is ended by somebody else.
    """
    found: list[TrialVerdict] = []
    while len(found) < len(texts):
        found += await _tried(texts[len(found) :], bounds)
    return found


async def _tried(texts: Sequence[RouteTexts], bounds: TrialLimits) -> list[TrialVerdict]:
    """What one process finds: a verdict for each route up to the one that ends it."""
    heard = _Heard()
    process = await _spawn()
    ended_for: Exception | None = None
    try:
        await _listen(process, texts, bounds, heard)
    except (TimeoutError, KeyError, TypeError, ValueError) as error:  # it hangs, or says what nobody understands
        ended_for = error
    finally:
        code = await _end(process)
    if len(heard.verdicts) < len(texts):
        heard.verdicts.append(_broken(heard, bounds, code, ended_for))
    return heard.verdicts


async def _spawn() -> Process:
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    command = (sys.executable, "-m", "streams.routes.sandbox.trial_process")
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
        )
    except OSError as error:
        raise SandboxError(f"the process that tries routes did not start: {error.strerror}") from None


async def _listen(process: Process, texts: Sequence[RouteTexts], bounds: TrialLimits, heard: _Heard) -> None:
    """Hear the process out. Raises TimeoutError for one that hangs without using CPU time."""
    start = {"routes": texts, "timeout_s": bounds.timeout_s, "memory_bytes": bounds.memory_bytes}
    silence_s = SILENCE_S + COMPILE_S + 10 * bounds.timeout_s
    loop = asyncio.get_running_loop()
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(silence_s) as silence:
        with suppress(OSError):  # it has ended already: what it said before is heard
            process.stdin.write(orjson.dumps(start))
            await process.stdin.drain()
        process.stdin.close()
        async for line in process.stdout:
            heard.take(line)
            silence.reschedule(loop.time() + silence_s)
        await process.wait()


async def _end(process: Process) -> int:
    """End the process unless it has ended, and give its exit code (negative: the signal it died of)."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            process.kill()
    await process.communicate()
    return await process.wait()


def _broken(heard: _Heard, bounds: TrialLimits, code: int, ended_for: Exception | None) -> TrialVerdict:
    """What is wrong with the route over which a process ended, or was ended."""
    how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    how = "did not answer" if isinstance(ended_for, TimeoutError) else how
    if heard.route is None:
        raise SandboxError(f"the process that tries routes {how}")
    if -code in FOREIGN and ended_for is None:
        raise SandboxError(f"the process that tries routes {how} over route {heard.route}")
    compiling = heard.example is None
    what = "compiling it" if compiling else f"example {heard.example}"
    if code == -signal.SIGPROF or isinstance(ended_for, TimeoutError):
        return TrialVerdict(wrong=f"{what} took more than {COMPILE_S if compiling else bounds.timeout_s:g} s")
    if code in (protocol.EXIT_MEMORY, -signal.SIGABRT):  # the fast engine aborts when it is refused memory
        return TrialVerdict(wrong=f"{what} took more than {bounds.memory_bytes} bytes of memory")
    if ended_for is not None:
        return TrialVerdict(wrong=f"{what} broke the process that tried it")
    return TrialVerdict(wrong=f"{what} ended the process that tried it: it {how}")
