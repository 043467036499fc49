"""This module is the way of entries to one bus: batched, and held back while the bus takes nothing (lane_gate.py)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from clients.aws.events.eventbridge import Accepted, Outage, RefusedEntry, Result, Suspect
from clients.aws.events.in_flight import InFlight
from clients.aws.events.lane_gate import LaneGate, LaneState
from processors.delivery.entries import Entry
from processors.delivery.refusals import is_throttling

Put = Callable[[Sequence[Entry]], Awaitable[list[Result]]]
Judged = Accepted | RefusedEntry


@dataclass(slots=True, eq=False)
class Pending:
    """One entry on its way to a bus.

    `judged` hears from the lane that EventBridge took it or refused it; of one that is `withdrawn`, maybe only that it
    has left the lane. `attempts`: further ones made so far, and the `codes` that brought them about; `heard`: who waits
    for the end, told once: None says that it was withdrawn and that nobody knows it to be on the bus.
    """

    entry: Entry
    key: str
    judged: Callable[[Pending, Judged | None], None]
    heard: Callable[[Judged | None], None] | None
    attempts: int = 0
    codes: tuple[str, ...] = ()
    is_under_way: bool = False
    withdrawn: bool = False

    def end(self, result: Judged | None) -> None:
        """Tell who waits."""
        heard, self.heard = self.heard, None
        if heard is not None:
            heard(result)


async def at_once() -> None:
    """For who need not wait."""


class BusLane:
    """See the module. `on_request` hears of each request how many entries it had, and how long it took.

    `on_bug` hears of an error that ended one of the lane's tasks: what it was to judge would wait for ever. `may_send`
    returns when a request may be made.
    """

    def __init__(
        self,
        put: Put,
        slots: InFlight,
        gate: LaneGate,
        *,
        max_bytes: int,
        max_entries: int,
        linger_s: float,
        on_bug: Callable[[BaseException], object],
        may_send: Callable[[], Awaitable[None]],
        on_request: Callable[[int, float], None],
        chance: Callable[[], float],
    ) -> None:
        self._put = put
        self._slots = slots
        self.gate = gate
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._linger_s = linger_s
        self._on_bug, self._may_send = on_bug, may_send
        self._on_request = on_request
        self._chance = chance
        self.in_flight = 0
        self._waiting: deque[Pending] = deque()
        self._filled, self._ripe = asyncio.Event(), asyncio.Event()
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
            self._ripe.set()

    def let_go(self) -> None:
        """Drop what was withdrawn meanwhile: a closed lane would keep it for as long as it is closed."""
        waiting, self._waiting = self._waiting, deque()
        for pending in waiting:
            if pending.withdrawn:
                pending.judged(pending, None)
            else:
                self._waiting.append(pending)

    async def _dispatch(self) -> None:
        while True:
            await self._filled.wait()
            if not self.gate.is_open:
                await self._probe()
                continue
            await self._linger()
            await self._slots.acquire()
            await self._may_send()
            request = self._next_request(self._max_entries) if self.gate.is_open else []
            if not request:
                self._slots.release()
                continue
            task = asyncio.create_task(self._request(request))
            self._requests.add(task)
            task.add_done_callback(self._ended)

    async def _probe(self) -> None:
        """Wait, then ask by one request, unless the lane is open by then."""
        state = await self.gate.next_probe()
        if state in (LaneState.OPEN, LaneState.GONE):
            return
        number = 1
        if state is not LaneState.OUTAGE:
            number = self._max_entries
            self._waiting.rotate(int(self._chance() * len(self._waiting)))
        async with self._slots:
            await self._may_send()
            if request := self._next_request(number):
                await self._request(request)

    async def _linger(self) -> None:
        """Wait until a request is full, or none is under way, but no longer than the linger."""
        if self._requests and len(self._waiting) < self._max_entries:
            self._ripe.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    await self._ripe.wait()

    def _next_request(self, number: int) -> list[Pending]:
        request: list[Pending] = []
        size = 0
        while self._waiting and len(request) < number:
            pending = self._waiting[0]
            if not pending.withdrawn and request and size + pending.entry.size > self._max_bytes:
                break
            self._waiting.popleft()
            if pending.withdrawn:
                pending.judged(pending, None)
                continue
            pending.is_under_way = True
            request.append(pending)
            size += pending.entry.size
        if not self._waiting:
            self._filled.clear()
        return request

    async def _request(self, request: list[Pending]) -> None:
        began = time.monotonic()
        self.in_flight += 1
        try:
            results = await self._put([pending.entry for pending in request])
        finally:
            self.in_flight -= 1
            seconds = time.monotonic() - began
            self._on_request(len(request), seconds)
        if any(_is_too_much(one) for one in results):
            self._slots.was_too_much(seconds)
        else:
            self._slots.went_well()
        answered = list(zip(request, results, strict=True))
        self.gate.note(results)
        for pending, result in answered:
            self._settle(pending, result)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task in self._requests:
            self._requests.discard(task)
            self._slots.release()
            if not self._requests:
                self._ripe.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_bug(error)

    def _settle(self, pending: Pending, result: Result) -> None:
        pending.is_under_way = False
        if isinstance(result, Suspect) and self.gate.lets_fail:
            result = RefusedEntry(result.code, result.message)
        if not isinstance(result, Outage | Suspect):
            pending.judged(pending, result)
        elif pending.withdrawn:
            pending.judged(pending, None)
        else:
            self.enqueue(pending)


def _is_too_much(result: Result) -> bool:
    """Whether EventBridge, or the way there, had enough: an outage may be a throttled request."""
    return isinstance(result, Outage) or (isinstance(result, RefusedEntry) and is_throttling(result.code))
