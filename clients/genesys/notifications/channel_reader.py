"""This module keeps one channel's socket open, over cuts, until the channel is gone or no longer wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from clients.genesys.notifications.channel_api import Channel, ChannelClient
from clients.genesys.notifications.connection import Pings, SocketEnd, read_socket
from clients.genesys.rest.backoff import Backoff
from clients.genesys.rest.client import GenesysRest
from processors.event.lines import Line, OversizedLine
from processors.genesys.frames import Frame, read_frame

log = structlog.get_logger(__name__)

#: A wait for the network of this length means that nothing was queued: all that was sent has come.
#: Waits for the consumer that add up to it mean that frames may be queued behind us.
LAG_S = 1.0
#: How often a reader looks whether the process itself stood still meanwhile, as frames were queued then too.
TICK_S = 1.0
#: How long a channel that is to be left is asked whether it is alive.
ALIVE_S = 5.0


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

    def down(self, reader: ChannelReader, since_ms: int) -> None: ...

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
        self._retired = False
        self._backoff = Backoff(rest.clock, base=0.5)
        self._frames = 0
        self._pings: Pings | None = None  # while the socket is open
        self._answered, self._answered_s = asyncio.Event(), 0.0  # when the newest ping was sent that was answered
        self._level_s = self._asked_s = 0.0  # all that was sent before has come; when we last asked for a frame
        self._behind_s = 0.0  # what came may be older by so much than when we took it
        self._ticked_s = 0.0

    async def run(self) -> None:
        """Read until the channel is gone; each cut is reconnected."""
        barren = 0
        try:
            while not self._retired:
                end = await self._listen()
                barren = 0 if self._frames else barren + 1
                if end.kind == "gone" or (barren > 1 and not await self._channels.exists(self.channel)):
                    self.replace(end.reason)
                    return
                await self._pause(end)
        finally:
            self._rest.observer.healthy(self)

    @property
    def retired(self) -> bool:
        """Whether a successor has taken over."""
        return self._retired

    def retire(self) -> None:
        """Read what still comes, but open no more."""
        self._retired = True

    async def finish(self) -> None:
        """Before the reader is left: read what Genesys has sent by now, as far as the socket is alive.

        One that is cut is not always seen to be: frames may be queued, or no word of it may have come.
        """
        if self._pings is None:
            return
        now_s = self._rest.clock.wall()
        with suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_S):
                await self._pings.send(now_s)
                while self._answered_s < now_s and self._pings is not None:
                    self._answered.clear()
                    await self._answered.wait()

    async def _listen(self) -> SocketEnd:
        self._frames = 0

        def opened(pings: Pings) -> None:
            self._pings = pings
            self._level_s = self._asked_s = self._ticked_s = self._rest.clock.wall()
            self._behind_s = 0.0
            self.opened_ms = int(self._level_s * 1000)
            self._rest.observer.healthy(self)
            self._coverage.up(self)
            self.opened.set()

        ticking = asyncio.create_task(self._tick())
        try:
            return await read_socket(
                self.channel.connect_uri,
                silence=self._silence,
                max_bytes=self._max_bytes,
                opened=opened,
                received=self._received,
            )
        finally:
            ticking.cancel()
            if self._pings is not None:
                self._pings = None
                self._answered.set()
                self._coverage.down(self, int(self._level_s * 1000))

    async def _received(self, line: Line) -> bool:
        now_s = self._rest.clock.wall()
        self._frames += 1
        frame = Frame("malformed") if isinstance(line, OversizedLine) else read_frame(line)
        self._level(now_s, frame)
        if frame.kind in ("gone", "revoked"):
            if frame.kind == "revoked":
                self._rest.forget(self.channel.token.get_secret_value())
            self._coverage.doubt(self, f"Genesys sends nothing more to a channel: {_reason(frame)}")
            return False
        if frame.kind == "closing":
            self.replace("closing notice")
        if frame.kind == "notice":
            self._coverage.doubt(self, "")
        await self._put(ReceivedFrame(line, frame, int(self._level_s * 1000), int(now_s * 1000), self.channel.id))
        self._asked_s = self._rest.clock.wall()
        self._behind_s += self._asked_s - now_s
        if self._behind_s > LAG_S and self._pings is not None and not self._pings.under_way:
            await self._pings.send(self._asked_s)
        return True

    def _level(self, now_s: float, frame: Frame) -> None:
        """Move on the moment up to which all is received: to now, unless frames may be queued behind this one.

        Then only the answer to a ping moves it on, to when the ping was sent, or a second without a frame.
        """
        self._note_stall(now_s)
        if now_s - self._asked_s > LAG_S:
            self._behind_s = 0.0
        if frame.kind == "pong" and self._pings is not None and (sent_s := self._pings.answered()) is not None:
            self._level_s, self._behind_s = max(self._level_s, sent_s), now_s - sent_s
            self._answered_s = sent_s
            self._answered.set()
        if self._behind_s <= LAG_S:
            self._level_s = now_s

    async def _tick(self) -> None:
        while True:
            await self._rest.clock.sleep(TICK_S)
            self._note_stall(self._rest.clock.wall())

    def _note_stall(self, now_s: float) -> None:
        """Count the time in which the process stood still as time behind: it was no wait for the network."""
        late_s = now_s - self._ticked_s - TICK_S
        if late_s > LAG_S:
            self._behind_s += late_s
            self._asked_s = now_s
        self._ticked_s = now_s

    def replace(self, reason: str) -> None:
        """Ask for a successor: the socket has shown, or REST says, that the channel ends."""
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
