"""This module has routes tried in a process of its own, so that none can hold up or fill the worker."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from processors.routes.route import RouteTexts
from streams.routes.sandbox import protocol
from streams.routes.sandbox.child_process import Child, SandboxError
from streams.routes.sandbox.inside.route_trial import COMPILE_S
from streams.routes.sandbox.mapping_process import SILENCE_S, how_it_ended

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
class _Progress:
    """What a process has said: of routes, in order, and what it began last."""

    verdicts: list[TrialVerdict] = field(default_factory=list)
    route: str | None = None
    example: str | None = None

    def take(self, kind: bytes, body: bytes) -> None:
        if kind == protocol.ROUTE:
            self.route, self.example = body.decode(), None
        elif kind == protocol.EXAMPLE:
            self.example = body.decode()
        elif kind == protocol.VERDICT:
            self.verdicts.append(TrialVerdict(**orjson.loads(body)))
            self.route = None
        else:
            raise ValueError(f"a frame of kind {kind!r}")


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
    progress = _Progress()
    process = await Child.start()
    ended_for: Exception | None = None
    try:
        await _listen(process, texts, bounds, progress)
    except (TimeoutError, TypeError, ValueError) as error:  # it hangs, or says what nobody understands
        ended_for = error
    except (OSError, EOFError):
        ended_for = None  # it has ended by itself: the exit code says how
    except BaseException:
        process.kill()
        raise
    code = await process.end()
    if len(progress.verdicts) < len(texts):
        progress.verdicts.append(_broken(progress, bounds, code, ended_for))
    return progress.verdicts


async def _listen(process: Child, texts: Sequence[RouteTexts], bounds: TrialLimits, progress: _Progress) -> None:
    """Hear the process out. Raises TimeoutError for one that hangs without using CPU time."""
    start = {"routes": texts, "timeout_s": bounds.timeout_s, "memory_bytes": bounds.memory_bytes}
    silence_s = SILENCE_S + COMPILE_S + 10 * bounds.timeout_s
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(silence_s) as silence:
        await process.send(protocol.TRIAL, orjson.dumps(start))
        while len(progress.verdicts) < len(texts):
            progress.take(*await process.hear())
            silence.reschedule(loop.time() + silence_s)


def _broken(progress: _Progress, bounds: TrialLimits, code: int, ended_for: Exception | None) -> TrialVerdict:
    """What is wrong with the route over which a process ended, or was ended."""
    how = "did not answer" if isinstance(ended_for, TimeoutError) else how_it_ended(code)
    if progress.route is None:
        raise SandboxError(f"the process that tries routes {how}")
    if -code in FOREIGN and ended_for is None:
        raise SandboxError(f"the process that tries routes {how} over route {progress.route}")
    compiling = progress.example is None
    what = "compiling it" if compiling else f"example {progress.example}"
    if code == -signal.SIGPROF or isinstance(ended_for, TimeoutError):
        return TrialVerdict(wrong=f"{what} took more than {COMPILE_S if compiling else bounds.timeout_s:g} s")
    if code in (protocol.EXIT_MEMORY, -signal.SIGABRT):  # jsonatapy aborts when it is refused memory
        return TrialVerdict(wrong=f"{what} took more than {bounds.memory_bytes} bytes of memory")
    if ended_for is not None:
        return TrialVerdict(wrong=f"{what} broke the process that tried it")
    return TrialVerdict(wrong=f"{what} ended the process that tried it: it {how}")
