"""This module says whether the lane to one bus is open, and if not why, and when to ask again.

What closes a lane is nobody's event's fault, so entries wait in it without using up an attempt, and one request now and
then asks whether the reason has ended:

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
from collections.abc import Callable, Sequence

from clients.aws.events.eventbridge import MISSING_BUS, PERMISSION, Accepted, Outage, RefusedEntry, Result, Suspect
from processors.delivery.refusals import RefusalWindow, remedy
from processors.delivery.retry import outage_backoff

RESUME = "or run `genesys-eventbridge resume` to let them fail"


class LaneState(enum.Enum):
    """Open, or why not."""

    OPEN = enum.auto()
    OUTAGE = enum.auto()
    SUSPECTING = enum.auto()
    PAUSED = enum.auto()
    GONE = enum.auto()


class LaneGate:
    """See the module. `on_trouble` hears why the lane is closed, and None when it is open again."""

    def __init__(
        self,
        window: RefusalWindow,
        on_trouble: Callable[[str | None], None],
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window, self._on_trouble, self._chance, self._clock = window, on_trouble, chance, clock
        self.state = LaneState.OPEN
        self._probes = 0
        self._opened = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether entries may go."""
        return self.state is LaneState.OPEN

    @property
    def lets_fail(self) -> bool:
        """Whether an operator has just said that what is refused may fail."""
        return self._window.is_quiet(self._clock())

    def may_fail(self, refused: RefusedEntry) -> bool:
        """Count an entry that is refused for good; False when it is one of too many, and shall wait instead."""
        if self.state is LaneState.PAUSED:
            return False
        now = self._clock()
        self._window.refused(now, refused.code)
        if (flood := self._window.flood(now)) is None:
            return True
        self._close(LaneState.PAUSED, f"paused: {flood}: {refused.message}; fix the routes or the bus, {RESUME}")
        return False

    def gone(self, reason: str) -> None:
        """Hold everything back, without a question to EventBridge, until `back`."""
        self._close(LaneState.GONE, reason)

    def back(self) -> None:
        """The bus is there (again)."""
        if self.state is LaneState.GONE:
            self._open()

    def resume(self) -> bool:
        """An operator's word: what was refused may fail. Gives whether the lane waited for it."""
        if self.state not in (LaneState.SUSPECTING, LaneState.PAUSED):
            return False
        self._window.resume(self._clock())
        self._open()
        return True

    def note(self, results: Sequence[Result]) -> None:
        """Open or close the lane by what a request was answered."""
        for one in results:  # before any that is refused: the share is that of whole requests
            if isinstance(one, Accepted):
                self._window.accepted(self._clock())
        suspects = [one for one in results if isinstance(one, Suspect)]
        outages = [one for one in results if isinstance(one, Outage)]
        refused = sum(isinstance(one, RefusedEntry) for one in results)
        if outages:
            self._close(LaneState.OUTAGE, outages[0].reason)
        elif suspects and not self.lets_fail:
            first = suspects[0]
            what = remedy(first.code, PERMISSION, MISSING_BUS)
            self._close(LaneState.SUSPECTING, f"AWS answered {first.code}: {first.message}; {what}, {RESUME}")
        elif self.state is LaneState.PAUSED and self._window.is_within(refused, len(results)):
            self._window.clear()
            self._open()
        elif self.state in (LaneState.OUTAGE, LaneState.SUSPECTING):
            self._open()

    async def next_probe(self) -> LaneState:
        """Wait until it is time to ask by one request, or the lane is open; gives the state as of then."""
        seconds = outage_backoff(self._probes, self._chance()) if self.state is not LaneState.GONE else None
        self._probes += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), seconds)
        return self.state

    def _close(self, state: LaneState, reason: str) -> None:
        if self.state is LaneState.GONE and state is not LaneState.GONE:
            return
        if self.state is LaneState.OPEN:
            self._probes = 0
            self._opened.clear()
        # What an operator is to see outlasts an outage.
        if state is LaneState.GONE or self.state is not LaneState.PAUSED:
            self.state = state
        self._on_trouble(reason)

    def _open(self) -> None:
        if self.state is not LaneState.OPEN:
            self.state = LaneState.OPEN
            self._on_trouble(None)
        self._opened.set()
