"""This module is the way of entries to one bus: batched, and held back while the bus takes nothing.

A lane is open, or closed for a reason. What closes it is nobody's event's fault, so entries wait in it without using up
an attempt, and one request now and then asks whether the reason has ended:

- an outage, or a refusal of whatever is asked: a request of one entry, until one is answered;
- refusals of which nobody knows whether they are the entries' own: a request of several entries, from a different place
  of the queue each time, until others pass beside those that are to blame;
- too many refusals that are the entries' own: likewise, until no more than the share that is allowed is refused;
- a bus that is gone: nothing, as EventBridge answers success for it and drops the entry, until it is there again.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from clients.aws.events.eventbridge import MISSING_BUS, PERMISSION, Accepted, Outage, RefusedEntry, Result, Suspect
from clients.aws.events.in_flight import InFlight
from processors.delivery.entries import MAX_ENTRIES, Entry
from processors.delivery.refusals import RefusalWindow, is_throttling, remedy
from processors.delivery.retry import outage_backoff

log = structlog.get_logger(__name__)

Put = Callable[[Sequence[Entry]], Awaitable[list[Result]]]
Judged = Accepted | RefusedEntry


@dataclass(slots=True, eq=False)
class Pending:
    """One entry on its way to a bus.

    `judged` hears from the lane that EventBridge took it or refused it; of one that is `cancelled`, only that it has
    left the lane. `attempts`: further ones made so far, and the `codes` that brought them about; `heard`: who waits for
    the end.
    """

    entry: Entry
    key: str
    judged: Callable[[Pending, Judged | None], None]
    heard: Callable[[Judged], None]
    attempts: int = 0
    codes: tuple[str, ...] = ()
    cancelled: bool = False


RESUME = "or run `genesys-eventbridge resume` to let them fail"


class State(enum.Enum):
    """Open, or why not."""

    OPEN = enum.auto()
    OUTAGE = enum.auto()
    SUSPECTING = enum.auto()
    PAUSED = enum.auto()
    GONE = enum.auto()


def _nobody(entries: int, seconds: float) -> None:
    """For who does not measure."""


class BusLane:
    """See the module. `on_trouble` hears why the lane is closed, and None when it is open again; `on_request` of each
    request how many entries it had, and how long it took.

    `on_bug` hears of an error that ended one of the lane's tasks: what it was to judge would wait for ever.
    """

    def __init__(
        self,
        put: Put,
        slots: InFlight,
        window: RefusalWindow,
        *,
        max_bytes: int,
        max_entries: int = MAX_ENTRIES,
        linger_s: float,
        on_trouble: Callable[[str | None], None],
        on_bug: Callable[[BaseException], object],
        on_request: Callable[[int, float], None] = _nobody,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._put = put
        self._slots = slots
        self._window = window
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._linger_s = linger_s
        self._on_trouble = on_trouble
        self._on_bug = on_bug
        self._on_request = on_request
        self._chance = chance
        self._clock = clock
        self.state = State.OPEN
        self.in_flight = 0
        self._probes = 0
        self._waiting: deque[Pending] = deque()
        self._filled, self._full, self._stir = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._requests: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    def enqueue(self, pending: Pending) -> None:
        """Bring an entry on its way: it is judged when EventBridge took or refused it, never for an outage."""
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch())
            self._dispatcher.add_done_callback(self._ended)
        self._waiting.append(pending)
        self._filled.set()
        if len(self._waiting) >= self._max_entries:
            self._full.set()

    def may_fail(self, refused: RefusedEntry) -> bool:
        """Count an entry that is refused for good; False when it is one of too many, and shall wait instead."""
        if self.state is State.PAUSED:
            return False
        now = self._clock()
        self._window.refused(now, refused.code)
        if (flood := self._window.flood(now)) is None:
            return True
        self._close(State.PAUSED, f"paused: {flood}: {refused.message}; fix the routes or the bus, {RESUME}")
        return False

    def gone(self, reason: str) -> None:
        """Hold everything back, without a question to EventBridge, until `back`."""
        self._close(State.GONE, reason)

    def back(self) -> None:
        """The bus is there (again)."""
        if self.state is State.GONE:
            self._open()

    def resume(self) -> bool:
        """An operator's word: what was refused may fail. Gives whether the lane waited for it."""
        if self.state not in (State.SUSPECTING, State.PAUSED):
            return False
        self._window.resume(self._clock())
        self._open()
        return True

    def _close(self, state: State, reason: str) -> None:
        if self.state is State.GONE and state is not State.GONE:
            return
        if self.state is State.OPEN:
            self._probes = 0
            self._stir.clear()
        if state is State.GONE or self.state is not State.PAUSED:  # what an operator is to see outlasts an outage
            self.state = state
        self._on_trouble(reason)

    def _open(self) -> None:
        if self.state is not State.OPEN:
            self.state = State.OPEN
            self._on_trouble(None)
        self._stir.set()

    async def _dispatch(self) -> None:
        while True:
            await self._filled.wait()
            if self.state is not State.OPEN:
                await self._probe()
                continue
            await self._linger()
            await self._slots.acquire()
            request = self._next_request(self._max_entries) if self.state is State.OPEN else []
            if not request:
                self._slots.release()
                continue
            task = asyncio.create_task(self._request(request))
            self._requests.add(task)
            task.add_done_callback(self._ended)

    async def _probe(self) -> None:
        """Wait, then ask by one request, unless the lane is open by then."""
        seconds = outage_backoff(self._probes, self._chance()) if self.state is not State.GONE else None
        self._probes += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), seconds)
        if self.state in (State.OPEN, State.GONE):
            return
        number = 1
        if self.state is not State.OUTAGE:
            number = self._max_entries
            self._waiting.rotate(int(self._chance() * len(self._waiting)))
        async with self._slots:
            if request := self._next_request(number):
                await self._request(request)

    async def _linger(self) -> None:
        """Wait until a request is full, but no longer than the linger."""
        self._full.clear()
        if len(self._waiting) < self._max_entries:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    await self._full.wait()

    def _next_request(self, number: int) -> list[Pending]:
        request: list[Pending] = []
        size = 0
        while self._waiting and len(request) < number:
            pending = self._waiting[0]
            if not pending.cancelled and request and size + pending.entry.size > self._max_bytes:
                break
            self._waiting.popleft()
            if pending.cancelled:
                pending.judged(pending, None)
                continue
            request.append(pending)
            size += pending.entry.size
        if not self._waiting:
            self._filled.clear()
        return request

    async def _request(self, request: list[Pending]) -> None:
        began = self._clock()
        self.in_flight += 1
        try:
            results = await self._put([pending.entry for pending in request])
        finally:
            self.in_flight -= 1
            seconds = self._clock() - began
            self._on_request(len(request), seconds)
        if any(_is_too_much(one) for one in results):
            self._slots.was_too_much(seconds)
        else:
            self._slots.went_well()
        answered = list(zip(request, results, strict=True))
        self._note(results)
        for pending, result in answered:
            self._settle(pending, result)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task in self._requests:
            self._requests.discard(task)
            self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_bug(error)

    def _note(self, results: Sequence[Result]) -> None:
        """Open or close the lane by what a request was answered."""
        for one in results:  # before any that is refused: the share is that of whole requests
            if isinstance(one, Accepted):
                self._window.accepted(self._clock())
        suspects = [one for one in results if isinstance(one, Suspect)]
        outages = [one for one in results if isinstance(one, Outage)]
        refused = sum(isinstance(one, RefusedEntry) for one in results)
        if outages:
            self._close(State.OUTAGE, outages[0].reason)
        elif suspects and not self._lets_fail():
            first = suspects[0]
            what = remedy(first.code, PERMISSION, MISSING_BUS)
            self._close(State.SUSPECTING, f"AWS answered {first.code}: {first.message}; {what}, {RESUME}")
        elif self.state is State.PAUSED and self._window.is_within(refused, len(results)):
            self._window.clear()
            self._open()
        elif self.state in (State.OUTAGE, State.SUSPECTING):
            self._open()

    def _lets_fail(self) -> bool:
        return self._window.is_quiet(self._clock())

    def _settle(self, pending: Pending, result: Result) -> None:
        if isinstance(result, Suspect) and self._lets_fail():
            result = RefusedEntry(result.code, result.message)
        if isinstance(result, Outage | Suspect):
            self.enqueue(pending)
            return
        pending.judged(pending, result)


def _is_too_much(result: Result) -> bool:
    """Whether EventBridge, or the way there, had enough: an outage may be a throttled request."""
    return isinstance(result, Outage) or (isinstance(result, RefusedEntry) and is_throttling(result.code))
