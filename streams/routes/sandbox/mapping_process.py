"""This module asks a process for what routes make of events, and says why it ended when it did."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.routes.route import RouteTexts
from processors.routes.routes import Raw, Routed
from streams.routes.sandbox import protocol
from streams.routes.sandbox.child_process import Child

#: Seconds without a word, beside ten times the time of one event, after which a process is taken for hung.
#: CPU time is what bounds an event (streams/routes/sandbox/__main__.py); this is for what hangs without using any.
SILENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class SandboxPlan:
    """What a mapping process works by. Time in seconds for one route over one event, sizes in bytes."""

    routes: tuple[RouteTexts, ...]
    timeout_s: float
    memory_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Death:
    """Why a process ended over its work; `code` is the failure's `error`."""

    code: str
    message: str


@dataclass(slots=True)
class Exchange:
    """What came back: answers to the first events, and when there are fewer than events, why.

    `route`: the route that was being tried, where that is known.
    """

    answers: list[Routed] = field(default_factory=list)
    route: str | None = None
    death: Death | None = None


class MappingProcess:
    """Made by `start`; asked by one caller at a time."""

    def __init__(self, plan: SandboxPlan, child: Child) -> None:
        self._plan, self._child = plan, child

    @classmethod
    async def start(cls, plan: SandboxPlan) -> MappingProcess:
        """Start one and wait until it has compiled the routes. Raises SandboxError."""
        return cls(plan, await Child.prepared("the mapping process", protocol.START, plan))

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether it has been seen to end."""
        return self._child.ended

    async def exchange(self, raws: Sequence[Raw], *, careful: bool) -> Exchange:
        """Ask for the answers to `raws`. One that died or hung over them has ended when this returns."""
        found = Exchange()
        try:
            await self._ask(raws, careful, found)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            found.death = self._death(await self.end(), error)
        except BaseException:  # cancelled: what is still on its way must not be taken for the next answer
            self.kill()
            raise
        return found

    async def end(self) -> int:
        """End the process, and give its exit code (negative: the signal it died of)."""
        return await self._child.end()

    def kill(self) -> None:
        """End the process at once; needs no running loop."""
        self._child.kill()

    async def _ask(self, raws: Sequence[Raw], careful: bool, found: Exchange) -> None:
        silence_s = SILENCE_S + 10 * self._plan.timeout_s
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(silence_s) as silence:
            await self._child.send(protocol.EVENTS, protocol.events(raws, careful=careful))
            while len(found.answers) < len(raws):
                kind, body = await self._child.hear()
                if kind == protocol.ROUTE:
                    found.route = body.decode()
                elif kind == protocol.ANSWERS:
                    found.answers += _checked(body)
                    found.route = None
                else:
                    raise ValueError(f"a frame of kind {kind!r}")
                silence.reschedule(loop.time() + silence_s)

    def _death(self, code: int, error: BaseException) -> Death:
        plan = self._plan
        if code == -signal.SIGPROF or isinstance(error, TimeoutError):
            return Death("MappingTimeout", f"a route took more than {plan.timeout_s:g} s over the event")
        if code == protocol.EXIT_MEMORY:
            return Death("MappingCrash", f"a route asked for more than {plan.memory_bytes} bytes of memory")
        return Death("MappingCrash", f"the mapping process {how_it_ended(code)} over the event")


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _checked(body: bytes) -> list[Routed]:
    try:
        return protocol.read_answers(body)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no answers: {error}") from None
