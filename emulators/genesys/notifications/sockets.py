"""This module is one WebSocket of one channel: events out in order of arrival, pings in."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import orjson
from aiohttp import WSMsgType, web

from emulators.genesys.faults import ActiveFaults
from emulators.genesys.notifications.channels import Channel, Channels
from emulators.genesys.notifications.frames import Frame, closing_frame, metadata_frame, result_frame

GOING_AWAY = 1001
CLOSE_SECONDS = 2.0
OUTBOX_FRAMES = 20_000
"""A client that reads more slowly than this many frames is dropped: Genesys keeps nothing for it either."""

MISSED_TOLD = 100
"""Of how many events that nobody heard the summary says when that was."""


@dataclass(slots=True)
class SocketTally:
    """What went over all sockets: frames by origin, conversations whose events were sent or missed.

    `missed_ms`: when the latest events were missed, epoch ms.
    """

    clock: Callable[[], float]
    frames: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    sent: dict[str, None] = field(default_factory=dict)
    missed: dict[str, None] = field(default_factory=dict)
    missed_ms: deque[int] = field(default_factory=lambda: deque(maxlen=MISSED_TOLD))

    def count_sent(self, frame: Frame) -> None:
        self.frames[frame.origin] += 1
        if frame.conversation_id is not None:
            self.sent[frame.conversation_id] = None

    def count_missed(self, frame: Frame, how: Literal["missed", "lost"]) -> None:
        """An event found no socket (`missed`), or broke off in the outbox of one (`lost`)."""
        if frame.origin == "event":
            self.frames[how] += 1
            self.missed_ms.append(int(self.clock() * 1000))
            if frame.conversation_id is not None:
                self.missed[frame.conversation_id] = None


@dataclass(frozen=True, slots=True)
class SocketContext:
    """What all sockets share; `heartbeat_seconds` is 30 in Genesys Cloud."""

    channels: Channels
    active: ActiveFaults
    tally: SocketTally
    heartbeat_seconds: float


class Socket:
    """Sending never waits: frames go to an outbox which one task writes."""

    def __init__(self, context: SocketContext, channel: Channel, request: web.Request) -> None:
        self.channel = channel
        self._context = context
        self._request = request
        self._web_socket = web.WebSocketResponse(max_msg_size=1_000_000, compress=False)
        self._outbox: asyncio.Queue[Frame | None] = asyncio.Queue(OUTBOX_FRAMES)
        self._end: tuple[int, str] | None = None
        self._opened = self._beaten = self._forgot = asyncio.get_running_loop().time()
        self._announced = False

    async def serve(self) -> web.WebSocketResponse:
        """Until either side ends it; what is left in the outbox is lost, and counted so."""
        await self._web_socket.prepare(self._request)
        self._context.channels.attach(self.channel, self)
        writer = asyncio.create_task(self._write(), name="genesys-socket")
        try:
            await self._read()
        finally:
            await self._stop(writer)
            self._context.channels.detach(self.channel, self)
            while not self._outbox.empty():
                if (frame := self._outbox.get_nowait()) is not None:
                    self._context.tally.count_missed(frame, "lost")
            self._context.tally.ends[self._end[1] if self._end else "left by the reader"] += 1
        return self._web_socket

    async def _stop(self, writer: asyncio.Task[None]) -> None:
        """A close handshake under way is let finish, anything else is not."""
        if self._end is not None and self._end[0]:
            await asyncio.wait([writer], timeout=CLOSE_SECONDS)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)

    def offer(self, frame: Frame) -> None:
        """Queue a frame; a full outbox or a closing socket loses it."""
        if self._end is not None:
            self._context.tally.count_missed(frame, "lost")
        elif self._outbox.full():
            self._context.tally.count_missed(frame, "lost")
            self.drop("outbox overflow")
        else:
            self._outbox.put_nowait(frame)

    def close(self, code: int, because: str) -> None:
        """A close frame behind everything that is queued."""
        if self._end is None:
            self._end = (code, because)
            if self._outbox.full():
                self._abort()
            else:
                self._outbox.put_nowait(None)

    def drop(self, because: str) -> None:
        """The TCP connection ends without a close frame, what is queued is lost."""
        self._end = self._end or (0, because)
        self._abort()

    def expire(self) -> None:
        """The channel is gone: a 404 result, then the close."""
        self.offer(result_frame("404", status="error", message="The channel has expired or does not exist."))
        self.close(GOING_AWAY, "channel gone")

    def look_after(self, now: float) -> None:
        """Heartbeats and closes that are due at loop time `now`."""
        faults = self._context.active.faults
        age = now - self._opened
        if now - self._beaten >= self._context.heartbeat_seconds and not faults.silent:
            self._beaten = now
            self.offer(metadata_frame("WebSocket Heartbeat"))
        if faults.forget_every_seconds and now - self._forgot >= faults.forget_every_seconds:
            self._forgot = now
            self._context.active.struck["topics forgotten"] += 1
            self._context.channels.forget(self.channel)
        if faults.closing_every_seconds and age >= faults.closing_every_seconds:
            self._announce(age - faults.closing_every_seconds, faults.closing_notice_seconds)

    def _announce(self, since_due: float, notice: float) -> None:
        if not self._announced:
            self._announced = True
            self.offer(closing_frame(notice))
        if since_due >= notice:
            self.close(GOING_AWAY, "maintenance")

    async def _write(self) -> None:
        """A connection that breaks while it is written ends the reading side too, which then tidies up."""
        while (frame := await self._outbox.get()) is not None:
            try:
                await self._send(frame)
            except ConnectionError:
                self._context.tally.count_missed(frame, "lost")
                self._abort()
                return
        code, because = self._end or (GOING_AWAY, "server stopped")
        await self._web_socket.close(code=code, message=because.encode())

    async def _send(self, frame: Frame) -> None:
        if isinstance(frame.data, bytes):
            await self._web_socket.send_bytes(frame.data)
        else:
            await self._web_socket.send_str(frame.data)
        self._context.tally.count_sent(frame)

    async def _read(self) -> None:
        async for message in self._web_socket:
            if message.type is WSMsgType.TEXT:
                self._answer(message.data)
            elif message.type is WSMsgType.BINARY:
                self.offer(result_frame("400", status="error", message="Only text messages are understood."))

    def _answer(self, text: str) -> None:
        try:
            asked = orjson.loads(text)
        except orjson.JSONDecodeError:
            asked = None
        match asked:
            case {"message": "ping"}:
                if not self._context.active.faults.silent:
                    self.offer(metadata_frame("pong"))
            case _:
                self.offer(result_frame("400", status="error", message="The message is not understood."))

    def _abort(self) -> None:
        if (transport := self._request.transport) is not None:
            transport.abort()
