"""This module maps batches in a process of its own, and finds the event that breaks it.

A process that ends over a batch blames nobody yet: a new one is asked for what is open, this time saying of
each route that it begins. When that one ends as well, the event and the route it was at are the culprit. That
event alone fails, for that route alone; everything else goes on. So two processes are lost for a culprit, not
one for each half of a batch, and no event fails because somebody killed the process once.

What is asked for at once is a small part of the memory that the process may take, and one event from the first
end on: no event fails because the ones beside it are large.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from processors.delivery.entries import cut
from processors.routes.outcome import Failed
from processors.routes.routes import Raw, Routed
from streams.routes.sandbox.mapping_process import Exchange, MappingProcess, SandboxPlan

log = structlog.get_logger(__name__)

#: Seconds over one batch that are trouble, which an operator should hear of.
SLOW_S = 30.0
SLOW = f"a batch takes more than {SLOW_S:g} s: routes are slow, or end their process again and again"

#: The part of the process's memory that the bytes of the events asked for at once may be.
SHARE = 16

#: Seconds that work in flight has to end when the sandbox closes.
CLOSE_S = 2.0


class Sandbox:
    """Answers what the routes make of events, in order; one process, started when it is first needed."""

    slow_s = SLOW_S

    def __init__(self, plan: SandboxPlan, on_trouble: Callable[[str | None], None]) -> None:
        self._plan = plan
        self._on_trouble = on_trouble
        self._process: MappingProcess | None = None
        self._turn = asyncio.Lock()
        self._retired = False

    @property
    def pid(self) -> int | None:
        """Of the mapping process; None while there is none."""
        return self._process.pid if self._process and not self._process.ended else None

    async def start(self) -> None:
        """Start the process now. Raises SandboxError, as `apply` does when it cannot be started."""
        async with self._turn:
            await self._running()

    async def retire(self) -> None:
        """Let the process end when it has no work: now, and after whatever is still asked of it."""
        self._retired = True
        async with self._turn:
            await self._end()

    async def close(self) -> None:
        """End the process; at once, when it is still at work after a while."""
        process = self._process
        if process is None or process.ended:
            return
        try:
            async with asyncio.timeout(CLOSE_S), self._turn:
                await process.end()
        except TimeoutError:
            process.kill()

    async def apply(self, raws: Sequence[Raw]) -> list[Routed]:
        """One answer for each event, in order. Callers are served one after the other, as they came."""
        async with self._turn:
            slow = asyncio.get_running_loop().call_later(self.slow_s, self._on_trouble, SLOW)
            try:
                return await self._work(raws)
            finally:
                slow.cancel()
                self._on_trouble(None)
                if self._retired:
                    await self._end()

    async def _end(self) -> None:
        if self._process is not None and not self._process.ended:
            await self._process.end()

    async def _work(self, raws: Sequence[Raw]) -> list[Routed]:
        found: list[Routed] = []
        barred: list[Failed] = []  # what the next event has failed with so far, each on a route of its own
        deaths = 0
        while len(found) < len(raws):
            head, *more = raws[len(found) : len(found) + (1 if deaths else self._at_once(raws[len(found) :]))]
            head = head._replace(barred=tuple(one.route for one in barred if one.route))
            exchange = await self._exchange([head, *more], careful=deaths > 0)
            if exchange.answers:
                found += [_with(exchange.answers[0], barred), *exchange.answers[1:]]
                barred = []
            if exchange.death is None:
                continue
            if deaths:
                failed = Failed("transform", exchange.death.code, exchange.death.message, (), exchange.route)
                barred.append(failed)
                if exchange.route is None:  # it was not even read
                    found.append(_with(Routed(), barred))
                    barred = []
            deaths += 1
            log.warning("mapping process ended", error=exchange.death.code, reason=exchange.death.message)
        return found

    def _at_once(self, raws: Sequence[Raw]) -> int:
        sizes = [len(raw.value or b"") for raw in raws]
        return len(next(cut(sizes, self._plan.memory_bytes // SHARE, len(raws))))

    async def _exchange(self, raws: Sequence[Raw], *, careful: bool) -> Exchange:
        return await (await self._running()).exchange(raws, careful=careful)

    async def _running(self) -> MappingProcess:
        if self._process is None or self._process.ended:
            self._process = await MappingProcess.start(self._plan)
        return self._process


def _with(answer: Routed, failures: Sequence[Failed]) -> Routed:
    outcomes = sorted((*answer.outcomes, *failures), key=lambda one: one.route or "")
    return answer._replace(outcomes=tuple(outcomes)) if failures else answer
