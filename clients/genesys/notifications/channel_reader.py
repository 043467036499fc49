"""This module keeps one channel's socket open, over cuts, until the channel is gone or no longer wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from clients.genesys.notifications.channel_api import Channel, ChannelClient
from clients.genesys.notifications.connection import SocketEnd, read_socket
from clients.genesys.rest.backoff import Backoff
from clients.genesys.rest.client import GenesysRest
from processors.event.lines import Line, OversizedLine
from processors.genesys.frames import Frame, read_frame

log = structlog.get_logger(__name__)

#: A wait for the network of this length means that nothing was queued: we are level with the server.
LEVEL_S = 0.02
#: A wait for the consumer of this length means that frames may be queued behind us.
LAG_S = 1.0


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One frame, received at `at_ms` (epoch ms, our clock), as was every event that happened before `since_ms`.

    `channel_id`: which channel brought it; two bring the same for a while when one follows on another.
    """

    value: Line
    frame: Frame
    since_ms: int
    at_ms: int
    channel_id: str = ""


class Coverage(Protocol):
    """Hears when a channel is listened to and when no more."""

    def up(self, reader: ChannelReader) -> None: ...

    def down(self, reader: ChannelReader, since_ms: int, complete: bool) -> None: ...

    def doubt(self, reader: ChannelReader, reason: str) -> None: ...


class ChannelReader:
    """Reads one subscribed channel. `topics`: those it holds, at `sure_ms` (epoch ms) for the last time surely.

    `leaving`: done when it wants a successor.
    """

    def __init__(
        self,
        channel: Channel,
        rest: GenesysRest,
        *,
        silence: float,
        max_bytes: int,
        put: Callable[[ReceivedFrame], Awaitable[None]],
        coverage: Coverage,
    ) -> None:
        self.channel = channel
        self.topics: tuple[str, ...] = ()
        self.sure_ms = 0
        self.opened = asyncio.Event()
        self.leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._rest, self._channels = rest, ChannelClient(rest)
        self._silence, self._max_bytes = silence, max_bytes
        self._put, self._coverage = put, coverage
        self.opened_ms = 0
        self._retired = self._left = False
        self._backoff = Backoff(rest.clock, base=0.5)
        self._frames = 0
        self._level_s = self._asked_s = 0.0  # when we were level with the server, when we last asked for a frame
        self._lagging = False

    async def run(self) -> None:
        """Read until the channel is gone; each cut is reconnected."""
        barren = 0
        try:
            while not self._retired:
                end = await self._listen()
                barren = 0 if self._frames else barren + 1
                if end.kind == "gone" or (barren > 1 and not await self._channels.exists(self.channel)):
                    self._want_successor(end.reason)
                    return
                await self._pause(end)
        finally:
            self._rest.observer.healthy(self)

    def replace(self, reason: str) -> None:
        """Ask for a successor: REST says what the socket has not shown yet."""
        self._want_successor(reason)

    @property
    def retired(self) -> bool:
        """Whether a successor has taken over."""
        return self._retired

    def retire(self) -> None:
        """Read what still comes, but open no more."""
        self._retired = True

    def leave(self) -> None:
        """The successor has taken over: what comes now is not needed. The task can be cancelled."""
        self._left = True

    async def _listen(self) -> SocketEnd:
        self._frames = 0
        up = False

        def opened() -> None:
            nonlocal up
            up = True
            self._level_s = self._asked_s = self._rest.clock.wall()
            self._lagging = False
            self.opened_ms = int(self._level_s * 1000)
            self._rest.observer.healthy(self)
            self._coverage.up(self)
            self.opened.set()

        try:
            return await read_socket(
                self.channel.connect_uri,
                silence=self._silence,
                max_bytes=self._max_bytes,
                opened=opened,
                received=self._received,
            )
        finally:
            if up:
                complete = self._left and not self._lagging
                self._coverage.down(self, int(self._level_s * 1000), complete)

    async def _received(self, line: Line) -> bool:
        self._frames += 1
        self._level(self._rest.clock.wall())
        frame = Frame("malformed") if isinstance(line, OversizedLine) else read_frame(line)
        if frame.kind in ("gone", "revoked"):
            if frame.kind == "revoked":
                self._rest.forget(self.channel.token.get_secret_value())
            self._coverage.doubt(self, f"Genesys sends nothing more to a channel: {_reason(frame)}")
            return False
        if frame.kind == "closing":
            self._want_successor("closing notice")
        if frame.kind == "notice":
            self._coverage.doubt(self, "")
        before = self._rest.clock.wall()
        received = ReceivedFrame(line, frame, int(self._level_s * 1000), int(before * 1000), self.channel.id)
        await self._put(received)
        self._asked_s = self._rest.clock.wall()
        self._lagging |= self._asked_s - before > LAG_S
        return True

    def _level(self, now: float) -> None:
        """Move on the moment up to which all is received; not while frames may be queued behind this one."""
        if now - self._asked_s > LEVEL_S:
            self._lagging = False
        if not self._lagging:
            self._level_s = now

    def _want_successor(self, reason: str) -> None:
        if not self.leaving.done():
            self.leaving.set_result(reason)

    async def _pause(self, end: SocketEnd) -> None:
        if self._retired:
            return
        if self._frames:
            self._backoff.reset()
        seconds = self._backoff.next()
        log.warning("genesys.socket.reconnect", kind=end.kind, reason=end.reason, wait_s=round(seconds, 1))
        self._rest.observer.count("socket_reconnected")
        if self._backoff.attempts > 2:
            self._rest.observer.trouble(self, f"notification socket: {end.reason}")
        await self._rest.clock.sleep(seconds)


def _reason(frame: Frame) -> str:
    """What kind of end it is; never more of the notice, which names the channel, a secret."""
    result = frame.envelope.get("result") if frame.envelope else None
    if frame.kind == "revoked":
        return "its token was revoked"
    return "no longer subscribed" if result is None else f"result {str(result)[:3]}"
