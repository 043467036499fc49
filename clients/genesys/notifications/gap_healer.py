"""This module heals gaps: what a socket missed while it was down is fetched from the analytics query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import structlog

from clients.genesys.analytics import ConversationQuery
from clients.genesys.rest.backoff import Backoff
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from clients.genesys.rest.observer import CountName
from processors.genesys.analytics.snapshots import Snapshot, beyond
from processors.genesys.interval import Interval, merged

log = structlog.get_logger(__name__)

#: Gaps nearer than this are asked for at once: a socket cut every few seconds must not use up the rate.
MERGE_MS = 60_000

GapState = Literal["open", "healed", "partly healed", "lost"]


ENDS: dict[GapState, CountName] = {
    "healed": "gap_healed",
    "partly healed": "gap_partly_healed",
    "lost": "gap_lost",
}


@dataclass(frozen=True, slots=True)
class GapTimes:
    """How wide a gap is taken, and when it is asked for.

    `passes`: seconds after the gap's end; analytics knows a conversation's change after some seconds, now and
    then after a minute, so it is asked twice. `margin_ms` is added to both ends: the clocks differ, and an event
    takes a moment to arrive. What happened `under_way_ms` ago may be on its way, and is not fetched before it comes.
    `edge_ms` of the margin count as time in which nobody listened: what was on its way when a socket broke.
    """

    passes: tuple[float, ...] = (6.0, 60.0)
    margin_ms: int = 5_000
    under_way_ms: int = 5_000
    edge_ms: int = 500


@dataclass(frozen=True, slots=True)
class GapReport:
    """The state of one gap of one part: `open` when found, then what became of it.

    `healed`: all that its topics bring was asked for; `partly healed`: some of its topics bring what the query
    does not tell, `reason` names them; `lost`: it got too old without an answer, or no topic's can be fetched.
    `events` counts what the query gave for it and its neighbours, before duplicates are taken out.
    """

    part: int
    interval: Interval
    state: GapState
    events: int = 0
    reason: str = ""


@dataclass(slots=True, eq=False)
class _Pending:
    interval: Interval
    due_s: float  # on the clock
    passes: list[float]
    events: int = 0
    backoff: Backoff | None = None
    reason: str = "the query gave no answer in time"


class GapHealer:
    """Takes gaps by `add`, and while `run` runs fills them: events to `put`, what became of them to `report`.

    A failing query is tried again with back-off until the gap is `max_age` seconds old.
    """

    def __init__(
        self,
        rest: GenesysRest,
        part: int,
        *,
        topics: Callable[[], Collection[str]],
        put: Callable[[Snapshot], Awaitable[None]],
        report: Callable[[GapReport], Awaitable[None]],
        max_age: float,
        times: GapTimes = GapTimes(),  # frozen
        enabled: bool = True,
    ) -> None:
        self._rest, self._part, self._topics = rest, part, topics
        self._query = ConversationQuery(rest)
        self._put, self._report = put, report
        self._max_age, self._times, self._enabled = max_age, times, enabled
        self._pending: list[_Pending] = []
        self._changed = asyncio.Event()

    @property
    def unhealed(self) -> tuple[Interval, ...]:
        """The gaps that are not done with."""
        return tuple(pending.interval for pending in self._pending)

    def add(self, interval: Interval) -> None:
        """Take a gap on; whoever found it has reported it as open.

        A gap can end in the future: it has a margin. What is live by then must come before what the query
        tells, or it would be taken for a new state.
        """
        first, *later = self._times.passes
        steps = [after - before for before, after in zip(self._times.passes, later, strict=False)]
        to_come = max(0.0, interval.end_ms / 1000 - self._rest.clock.wall())
        self._pending.append(_Pending(interval, self._rest.clock.now() + to_come + first, steps))
        self._changed.set()

    async def run(self) -> None:
        """Heal gaps as they become due, for ever."""
        while True:
            self._changed.clear()
            hopeless = self._hopeless()
            if hopeless:
                for gap in list(self._pending):
                    await self._done(gap, "lost", hopeless)
            due_s = min((gap.due_s for gap in self._pending), default=None)
            now = self._rest.clock.now()
            if due_s is None or due_s > now:
                await self._rest.clock.sleep_unless(None if due_s is None else due_s - now, self._changed.wait())
            else:
                await self._heal([gap for gap in self._pending if gap.due_s <= now])

    def _hopeless(self) -> str:
        """Why asking cannot help; empty when it can."""
        if not self._enabled:
            return "GENESYS_BACKFILL is off"
        topics = self._topics()
        kinds = beyond(topics)
        return _untold(kinds) if topics and all(beyond([topic]) for topic in topics) else ""

    async def _heal(self, due: list[_Pending]) -> None:
        left = min(self._left(gap) for gap in due)
        try:
            async with asyncio.timeout(max(left, 0.0)):
                found = await self._fetch(due)
        except TimeoutError:
            await self._failed(due)
        except GenesysError as error:
            for gap in due:
                gap.reason = str(error)
            await self._failed(due)
        else:
            await self._passed(due, found)

    async def _fetch(self, due: list[_Pending]) -> int:
        """Tell what happened, and how it went on until shortly before now.

        A state that a conversation left in the gap and came back to since looked unchanged when it came live.
        """
        found = 0
        until_ms = self._rest.clock.wall_ms() - self._times.under_way_ms
        inner_ms = max(0, self._times.margin_ms - self._times.edge_ms)
        unheard = [Interval(gap.interval.start_ms + inner_ms, gap.interval.end_ms - inner_ms) for gap in due]
        for interval in merged((gap.interval for gap in due), MERGE_MS):
            async with aclosing(self._query.events(interval, self._topics(), until_ms, unheard)) as events:
                async for snapshot in events:
                    await self._put(snapshot)
                    found += 1
        return found

    async def _passed(self, due: list[_Pending], found: int) -> None:
        for gap in due:
            gap.events, gap.backoff = max(gap.events, found), None
            if gap.passes:
                gap.due_s += gap.passes.pop(0)
            else:
                kinds = beyond(self._topics())
                await self._done(gap, "partly healed" if kinds else "healed", _untold(kinds) if kinds else "")

    async def _failed(self, due: list[_Pending]) -> None:
        log.warning("genesys.gap.not_healed", gaps=len(due), reason=due[0].reason)
        for gap in due:
            gap.backoff = gap.backoff or Backoff(self._rest.clock, base=5.0, cap=300.0)
            left = self._left(gap)
            gap.due_s = self._rest.clock.now() + min(gap.backoff.next(), max(left, 0.0))
            if left <= 0:
                await self._done(gap, "lost", gap.reason)

    def _left(self, gap: _Pending) -> float:
        """Seconds until the gap is too old."""
        return gap.interval.end_ms / 1000 + self._max_age - self._rest.clock.wall()

    async def _done(self, gap: _Pending, state: Literal["healed", "partly healed", "lost"], reason: str) -> None:
        self._pending.remove(gap)
        self._rest.observer.count(ENDS[state])
        await self._report(GapReport(self._part, gap.interval, state, gap.events, reason))


def _untold(kinds: Sequence[str]) -> str:
    return f"the analytics query does not report what {', '.join(kinds)} bring"
