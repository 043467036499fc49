"""This module maps batches in a process of its own, and finds the event that breaks it.

A process that ends over a batch blames nobody yet: a new one is asked for what is open, this time saying of each
event and route that it begins. When that one ends as well, the event and the route it was at are the culprit. That
event alone fails, for that route alone; everything else goes on. Two processes for a culprit, not one for
each half of a batch, and no event fails because somebody killed the process once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from processors.answer import Answer, Raw
from processors.outcome import Failed
from streams.sandbox.process import Death, Exchange, MappingProcess, Plan

log = structlog.get_logger(__name__)

#: So many processes ended over one batch are trouble that an operator should hear of.
TROUBLE_DEATHS = 10


class Sandbox:
    """Answers what the routes make of events, in their order; one process, started when it is first needed."""

    def __init__(self, plan: Plan, on_trouble: Callable[[str | None], None]) -> None:
        self._plan = plan
        self._on_trouble = on_trouble
        self._process: MappingProcess | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the mapping process; None while there is none."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process now. Raises SandboxError, as `apply` does when it cannot be started."""
        async with self._turn:
            await self._running()

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            process, self._process = self._process, None
            if process is not None:
                await process.end()

    async def apply(self, raws: Sequence[Raw]) -> list[Answer]:
        """One answer for each event, in order; callers are served one after the other, first come first served."""
        async with self._turn:
            found: list[Answer] = []
            barred: list[Failed] = []  # what the next event has failed with so far, each on a route of its own
            deaths = 0
            while len(found) < len(raws):
                head = replace(raws[len(found)], barred=tuple(one.route for one in barred if one.route))
                exchange = await self._exchange([head, *raws[len(found) + 1 :]], careful=deaths > 0)
                if exchange.answers:
                    found += [_with(exchange.answers[0], barred), *exchange.answers[1:]]
                    barred = []
                if exchange.death is not None:
                    if deaths:
                        failed = Failed("transform", exchange.death.code, exchange.death.message, (), exchange.route)
                        barred.append(failed)
                        if exchange.route is None:  # it was not even read
                            found.append(_with(Answer(), barred))
                            barred = []
                    deaths += 1
                    self._note(deaths, exchange.death)
            if deaths >= TROUBLE_DEATHS:
                self._on_trouble(None)
            return found

    def _note(self, deaths: int, death: Death) -> None:
        log.warning("mapping process ended", error=death.code, reason=death.message)
        if deaths >= TROUBLE_DEATHS:
            self._on_trouble(f"{deaths} mapping processes ended over one batch: {death.message}")

    async def _exchange(self, raws: Sequence[Raw], *, careful: bool) -> Exchange:
        process = await self._running()
        self._process = None  # until it has answered: neither a dead one nor a cancelled one is asked again
        exchange = await process.exchange(raws, careful=careful)
        if exchange.death is None:
            self._process = process
        return exchange

    async def _running(self) -> MappingProcess:
        if self._process is None:
            self._process = await MappingProcess.start(self._plan)
        return self._process


def _with(answer: Answer, failures: Sequence[Failed]) -> Answer:
    outcomes = sorted((*answer.outcomes, *failures), key=lambda one: one.route or "")
    return replace(answer, outcomes=tuple(outcomes)) if failures else answer
