"""This module writes one connection of the HTTP stream: an endless answer, cut and spoilt on request."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from emulators.genesys.event_stream.ledger import StreamEvent, StreamLedger
from emulators.genesys.event_stream.lines import Composer
from emulators.genesys.event_stream.production import Production
from emulators.genesys.event_stream.subscriptions import Subscription
from emulators.genesys.faults import ActiveFaults

MAX_EVENTS = 250
BUFFER_BYTES = 65_536
GRACE_SECONDS = 1.0
"""How long a cut waits for a reader to take what is already written, before it is cut off hard."""


class EndedError(Exception):
    """The connection is over; `how` is counted in the summary."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(slots=True)
class StreamContext:
    """What all connections share."""

    active: ActiveFaults
    ledger: StreamLedger
    production: Production
    composer: Composer
    keep_alive_seconds: float
    since_cut: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Connection:
    """One reader of one subscription.

    An event counts as delivered when its bytes have left this process; everything later (a reader that goes
    away with bytes unread in its own buffers) is beyond what a server can know.
    """

    def __init__(self, context: StreamContext, subscription: Subscription, request: web.Request) -> None:
        self._context = context
        self._subscription = subscription
        self.over = asyncio.Event()
        self._request = request
        self._response = web.StreamResponse(headers={"Content-Type": "application/json-lines"})
        self._unsettled: list[StreamEvent] = []
        self._cut_because: str | None = None
        self._opened = asyncio.get_running_loop().time()

    def cut(self, because: str) -> None:
        """End this connection soon: after the block being written, or hard when the reader does not read."""
        self._cut_because = self._cut_because or because
        self._subscription.arrived.set()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._abort_if_stuck)

    async def serve(self) -> web.StreamResponse:
        """Write until the connection is cut, the reader leaves, or the server stops."""
        await self._response.prepare(self._request)
        if (transport := self._request.transport) is not None:
            transport.set_write_buffer_limits(high=BUFFER_BYTES, low=0)  # a drain then means: all is out
        try:
            while True:
                await self._step()
        except EndedError as end:
            self._context.outcomes[end.how] += 1
        except ConnectionError:
            self._context.outcomes["left by the reader"] += 1
        finally:
            self._settle()
            self._subscription.give_back(self._unsettled)
            self._unsettled.clear()
        return self._response

    async def _step(self) -> None:
        self._settle()
        await self._end_if_due()
        wanted = self._wanted()
        self._context.production.pull(self._subscription, wanted)
        entries = self._subscription.take(wanted)
        if entries:
            await self._write_block(entries)
        else:
            await self._idle()

    def _wanted(self) -> int:
        """How many events the next block may have: never beyond the next fault that ends the connection."""
        faults, context = self._context.active.faults, self._context
        most = MAX_EVENTS
        if faults.cut_every_events:
            most = min(most, faults.cut_every_events - context.since_cut)
        return max(1, most)

    async def _write_block(self, entries: list[StreamEvent]) -> None:
        faults = self._context.active.faults
        last = faults.unfinished_last_line and self._context.production.ended and not self._subscription.waiting
        data, injected = self._context.composer.compose(entries, faults)
        self._unsettled.extend(entries)
        await self._write(data[:-1] if last else data)
        self._context.ledger.injected.update(injected)
        self._context.since_cut += len(entries)
        if last:
            await self._drained()
            raise EndedError("clean end")
        await self._faults_that_end()

    async def _faults_that_end(self) -> None:
        context, faults = self._context, self._context.active.faults
        if faults.cut_every_events and context.since_cut >= faults.cut_every_events:
            if faults.half_line:
                await self._half_line()
            await self._close("cut by a fault")

    async def _half_line(self) -> None:
        """The beginning of the next event; it stays queued and comes whole after the reader is back."""
        self._context.production.pull(self._subscription, 1)
        if self._subscription.waiting:
            data = self._subscription.waiting[0].data
            await self._write(data[: len(data) // 2])
            self._context.active.struck["half line"] += 1

    async def _write(self, data: bytes) -> None:
        for piece in self._context.composer.pieces(data, self._context.active.faults):
            await self._response.write(piece)

    async def _idle(self) -> None:
        """Wait for an event, at most until the next blank keep-alive line is due."""
        arrived = self._subscription.arrived
        arrived.clear()
        if self._cut_because or self._subscription.waiting:
            return
        try:
            async with asyncio.timeout(self._patience()):
                await arrived.wait()
        except TimeoutError:
            await self._response.write(b"\n")

    def _patience(self) -> float:
        limit = self._context.active.faults.cut_every_seconds
        if not limit:
            return self._context.keep_alive_seconds
        left = self._opened + limit - asyncio.get_running_loop().time()
        return max(0.0, min(self._context.keep_alive_seconds, left))

    async def _end_if_due(self) -> None:
        """Cuts that do not depend on the number of events."""
        limit = self._context.active.faults.cut_every_seconds
        if limit and asyncio.get_running_loop().time() - self._opened >= limit:
            self._cut_because = self._cut_because or "cut by age"
        if self._cut_because:
            await self._close(self._cut_because)

    def _settle(self) -> None:
        """Everything written is out once the write buffer is empty."""
        transport = self._request.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return
        for entry in self._unsettled:
            self._context.ledger.delivered(entry)
        self._unsettled.clear()

    async def _close(self, how: str) -> None:
        """A cut: what was written arrives, the answer's end never comes."""
        self._context.since_cut = 0
        await self._drained()
        self._shut()
        raise EndedError(how)

    async def _drained(self) -> None:
        deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
        while (transport := self._request.transport) is not None and transport.get_write_buffer_size():
            if asyncio.get_running_loop().time() > deadline:
                self._abort()
                return
            await asyncio.sleep(0.005)
        self._settle()

    def _shut(self) -> None:
        if (transport := self._request.transport) is not None:
            transport.close()

    def _abort_if_stuck(self) -> None:
        if not self.over.is_set():  # else the connection may already serve another request
            self._abort()

    def _abort(self) -> None:
        if (transport := self._request.transport) is not None:
            transport.abort()
