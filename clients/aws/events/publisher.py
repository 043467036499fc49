"""This module publishes entries: keeps each key in order, retries what was refused, fails what is refused for good.

One lane a bus (clients/aws/events/bus_lane.py): entries of all callers share requests, also when they are sent again;
an entry waits until the earlier ones with its key have ended. An entry costs neither a task nor a future: who submits
it hears of its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from clients.aws.events.bus_lane import BusLane, Judged, Pending, Put, at_once
from clients.aws.events.eventbridge import Accepted, RefusedEntry
from clients.aws.events.in_flight import InFlight
from clients.aws.events.lane_gate import LaneGate, LaneState
from clients.aws.events.unconfirmed import Unconfirmed
from processors.delivery.custom_bus import MAX_ENTRIES as CUSTOM_ENTRIES
from processors.delivery.custom_bus import custom_bus
from processors.delivery.entries import MAX_ENTRIES, Entry
from processors.delivery.refusals import RefusalLimits, RefusalWindow
from processors.delivery.retry import backoff, is_retryable

log = structlog.get_logger(__name__)


def _nobody(bus: str, entries: int, seconds: float) -> None:
    """For who does not measure."""


class Publisher:
    """See the module. `max_bytes`: limit of one request; `linger_s`: how long an unfilled request waits.

    `on_trouble` hears why a bus takes nothing, and None when all take entries again; `on_retry` each retry, by the code
    of the refusal; `on_request` each request: its bus, entries and seconds; `on_bug` an error that only a bug can be,
    after which entries may wait for ever. `may_send` returns when a request may be made. `limits`: how many entries may
    be refused for good before publishing pauses.
    """

    def __init__(
        self,
        put: Put,
        *,
        max_bytes: int,
        linger_s: float,
        in_flight: int,
        max_retries: int,
        limits: RefusalLimits,
        on_trouble: Callable[[str | None], None],
        on_retry: Callable[[str], None],
        on_bug: Callable[[BaseException], object],
        may_send: Callable[[], Awaitable[None]] = at_once,
        on_request: Callable[[str, int, float], None] = _nobody,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._put = put
        self._max_bytes = max_bytes
        self._linger_s = linger_s
        self._slots = InFlight(in_flight)
        self._max_retries = max_retries
        self._limits = limits
        self._on_trouble = on_trouble
        self._on_retry = on_retry
        self._on_bug, self._may_send = on_bug, may_send
        self._on_request = on_request
        self._chance = chance
        self._keys: dict[str, deque[Pending]] = {}
        self._lanes: dict[str, BusLane] = {}
        self._troubles: dict[str, str] = {}
        self._unconfirmed: dict[str, Unconfirmed] = {}
        self._trusted: set[str] = set()
        self._again_tasks: set[asyncio.Task[None]] = set()

    async def publish(self, entry: Entry, key: str) -> Judged:
        """Publish one entry: returns when EventBridge took it or it is refused for good."""
        future: asyncio.Future[Judged] = asyncio.get_running_loop().create_future()
        pending = self.submit(entry, key, partial(_tell, future))
        try:
            return await future
        finally:
            pending.withdrawn = future.cancelled()

    def submit(self, entry: Entry, key: str, heard: Callable[[Judged | None], None]) -> Pending:
        """Publish one entry, after the earlier ones of its key; `heard` is told its end.

        While EventBridge takes nothing at all the entry waits; those attempts do not count as retries.
        """
        pending = Pending(entry, key, self._judged, heard)
        if entry.size > self._max_bytes:
            words = f"the entry counts {entry.size} bytes, a request may have {self._max_bytes}"
            pending.end(RefusedEntry("EntryTooLarge", words))
        elif (behind := self._keys.get(key)) is not None:
            behind.append(pending)
        else:
            self._keys[key] = deque()
            self._lane(_bus(entry)).enqueue(pending)
        return pending

    def withdraw(self, all_pending: Iterable[Pending]) -> None:
        """Send these no more: somebody else will. One of a request that is under way ends with its answer, at most."""
        for pending in all_pending:
            pending.withdrawn = True
            if not pending.is_under_way:
                pending.end(None)
        for lane in self._lanes.values():
            lane.let_go()

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return sum(lane.in_flight for lane in self._lanes.values())

    @property
    def buses(self) -> list[str]:
        """Every bus that entries were for."""
        return list(self._lanes)

    def is_gone(self, bus: str) -> bool:
        """Whether the bus was not there, or not seen, when it was last looked at."""
        return bus in self._lanes and self._lanes[bus].gate.state is LaneState.GONE

    def gone(self, bus: str, reason: str) -> None:
        """The bus is not there: nothing is put on it until it is seen; what it may have dropped is put again then."""
        self._lane(bus).gate.gone(reason)
        self._put_again(bus)

    def seen(self, bus: str, asked_at: float, *, trusted: bool = False) -> None:
        """The bus is there, as of a question at `asked_at` (monotonic), or is `trusted` to be as nobody may ask."""
        if self.is_gone(bus):
            self._put_again(bus)
            self._lane(bus).gate.back()
        if trusted:
            self._trusted.add(bus)
            self._unconfirmed.pop(bus, None)
        elif bus in self._unconfirmed:
            self._trusted.discard(bus)
            self._unconfirmed[bus].confirm(asked_at)

    def _put_again(self, bus: str) -> None:
        """Put again what the bus may have dropped; also what was under way when it was found to be gone."""
        if (unconfirmed := self._unconfirmed.get(bus)) is None or not (again := unconfirmed.take()):
            return
        log.error(
            "the bus was gone, and events may be on no bus: they go again when it is back; replay those not remembered",
            bus=bus, remembered=len(again), not_remembered=unconfirmed.forgotten,
        )  # fmt: skip
        for entry, key in again:
            task = asyncio.create_task(self._again(entry, key))
            self._again_tasks.add(task)
            task.add_done_callback(self._again_ended)

    async def _again(self, entry: Entry, key: str) -> None:
        result = await self.publish(entry, key)
        if isinstance(result, RefusedEntry):
            log.error("an event that a lost bus had dropped was refused; replay it", code=result.code, key=key)

    def _again_ended(self, task: asyncio.Task[None]) -> None:
        self._again_tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_bug(error)

    def resume(self) -> bool:
        """An operator's word: entries that were held back as too many were refused may fail."""
        return any([lane.gate.resume() for lane in self._lanes.values()])

    def _judged(self, pending: Pending, result: Judged | None) -> None:
        """Send an entry again or end it, by what its lane says of it."""
        if isinstance(result, RefusedEntry):
            if pending.withdrawn:
                result = None  # it is refused to whoever sends it next
            elif self._goes_again(pending, result):
                return
            else:
                result = RefusedEntry(result.code, result.message, pending.attempts, pending.codes)
        elif isinstance(result, Accepted):
            if pending.codes:
                result = Accepted(result.id, pending.codes)
            if (bus := _bus(pending.entry)) not in self._trusted:
                self._unconfirmed.setdefault(bus, Unconfirmed()).add(pending.entry, pending.key)
        pending.end(result)
        behind = self._keys[pending.key]
        while behind and behind[0].withdrawn:
            behind.popleft()
        if behind:
            self._lane(_bus(behind[0].entry)).enqueue(behind.popleft())
        else:
            del self._keys[pending.key]

    def _goes_again(self, pending: Pending, refused: RefusedEntry) -> bool:
        lane = self._lane(_bus(pending.entry))
        if not is_retryable(refused.code) or pending.attempts >= self._max_retries:
            if lane.gate.may_fail(refused):
                return False
            lane.enqueue(pending)
            return True
        self._on_retry(refused.code)
        seconds = backoff(pending.attempts, self._chance())
        pending.attempts += 1
        pending.codes += (refused.code,)
        asyncio.get_running_loop().call_later(seconds, lane.enqueue, pending)
        return True

    def _lane(self, bus: str) -> BusLane:
        if bus not in self._lanes:
            self._lanes[bus] = BusLane(
                self._put,
                self._slots,
                LaneGate(RefusalWindow(self._limits), lambda reason: self._note(bus, reason), self._chance),
                max_bytes=self._max_bytes,
                max_entries=CUSTOM_ENTRIES if custom_bus(bus) else MAX_ENTRIES,
                linger_s=self._linger_s,
                on_bug=self._on_bug,
                may_send=self._may_send,
                on_request=lambda entries, seconds: self._on_request(bus, entries, seconds),
                chance=self._chance,
            )
        return self._lanes[bus]

    def _note(self, bus: str, reason: str | None) -> None:
        if reason is None:
            self._troubles.pop(bus, None)
        else:
            self._troubles[bus] = f"{bus}: {reason}" if len(self._lanes) > 1 else reason
        self._on_trouble(next(iter(self._troubles.values()), None))


def _bus(entry: Entry) -> str:
    return str(entry.fields.get("EventBusName", ""))


def _tell(future: asyncio.Future[Judged], result: Judged | None) -> None:
    if result is not None and not future.done():
        future.set_result(result)
