"""This module keeps one channel's topics covered: the channel, and its successor in time.

Before a channel ends (its age, a closing notice) the next one is opened and subscribed; both are read side by
side for a while, and the old one is left. A channel that is gone at once is replaced at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from clients.genesys.notifications.channel_api import ChannelClient
from clients.genesys.notifications.channel_reader import ChannelReader, ReceivedFrame
from clients.genesys.notifications.coverage import TopicCoverage
from clients.genesys.notifications.subscriptions import Subscriptions
from clients.genesys.rest.backoff import Backoff
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError, GenesysRequestError
from processors.genesys.interval import Interval
from settings import Settings

log = structlog.get_logger(__name__)

#: A channel is left at the latest at this share of its life (24 h: at 23 h 2 min).
LIFE_SHARE = 0.96

#: A channel that is gone sooner was evicted, by another program with the same OAuth client: replacing it at
#: once, again and again, would evict the other's in turn.
SHORT_LIFE_S = 60.0

#: Longest wait before a young channel is replaced that has announced its end: a server that announces it to
#: every new channel at once must not be given channel after channel.
NOTICE_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """Seconds and bytes; `since_ms`: up to here an earlier owner has read, None when there was none.

    `margin_ms` is added to both ends of a gap.
    """

    silence: float
    rotate: float
    overlap: float
    max_bytes: int
    margin_ms: int
    since_ms: int | None = None

    @classmethod
    def from_settings(cls, settings: Settings, margin_ms: int, since_ms: int | None) -> RotationOptions:
        return cls(
            silence=settings.genesys_heartbeat_timeout,
            rotate=settings.genesys_channel_rotate,
            overlap=settings.genesys_channel_overlap,
            max_bytes=settings.max_line_bytes,
            margin_ms=margin_ms,
            since_ms=since_ms,
        )


class ChannelRotation:
    """Runs until cancelled; raises GenesysError when no channel can be had (permission, credentials)."""

    def __init__(
        self,
        rest: GenesysRest,
        options: RotationOptions,
        *,
        put: Callable[[ReceivedFrame], Awaitable[None]],
        gap: Callable[[Interval], None],
        doubt: Callable[[], None],
    ) -> None:
        self._rest, self._channels, self._options = rest, ChannelClient(rest), options
        self._put, self._doubt = put, doubt
        self._coverage = TopicCoverage(rest, options.margin_ms, options.since_ms, gap, doubt)
        self._subscriptions = Subscriptions(rest, self._coverage.lost, self._coverage.losses)
        self._wanted = asyncio.Event()
        self._readers: dict[ChannelReader, asyncio.Task[None] | None] = {}

    @property
    def confirmed_ms(self) -> int | None:
        """When every channel that was not left surely held its topics for the last time; None without one."""
        return min((reader.sure_ms for reader in self._readers if reader.topics), default=None)

    async def listen_to(self, topics: tuple[str, ...]) -> None:
        """Make these the topics, on the channels there are and on those to come."""
        self._subscriptions.topics = topics
        if topics:
            self._wanted.set()
        for reader in list(self._readers):
            with self._replacing(reader):
                await self._subscriptions.bring(reader)

    async def add(self, topics: tuple[str, ...]) -> None:
        """Listen to these as well."""
        self._subscriptions.topics = tuple(sorted({*self._subscriptions.topics, *topics}))
        self._wanted.set()
        for reader in list(self._readers):
            with self._replacing(reader):
                await self._subscriptions.add(reader, topics)

    async def verify(self) -> bool:
        """Ask Genesys what the channels hold; subscribe again what is missing, and tell its time as a gap.

        Answers whether nothing was missing. Raises GenesysError.
        """
        whole = True
        for reader in self._in_use():
            with self._replacing(reader):
                held = await self._subscriptions.held(reader)
                if not held:
                    await self._subscriptions.bring(reader, again=True)
                whole = whole and held is not False
        whole = whole and not any(reader.leaving.done() for reader in self._readers if not reader.retired)
        if whole and (self._coverage.is_there or not self._subscriptions.topics):
            self._rest.observer.healthy(self._coverage.losses)
        return whole

    def _in_use(self) -> list[ChannelReader]:
        """The channels that nothing else is known of than that they hold their topics."""
        return [reader for reader in self._reading() if reader.topics and not reader.retired]

    def _reading(self) -> list[ChannelReader]:
        return [one for one, task in self._readers.items() if task is not None and not task.done()]

    @contextmanager
    def _replacing(self, reader: ChannelReader) -> Iterator[None]:
        """Have a channel replaced of which REST says that it is gone."""
        try:
            yield
        except GenesysRequestError as error:
            if error.status != 404:
                raise
            reader.replace("the channel is gone")

    async def run(self) -> None:
        """Keep the topics covered."""
        await self._wanted.wait()
        try:
            async with asyncio.TaskGroup() as group:
                await self._succeed_each_other(group)
        finally:
            self._coverage.close()
            self._rest.observer.healthy(self._subscriptions)

    async def _succeed_each_other(self, group: asyncio.TaskGroup) -> None:
        churn = Backoff(self._rest.clock)
        current = await self._open(group)
        while True:
            opened_s = self._rest.clock.now()
            reason = await self._leaving(current)
            log.info("genesys.channel.rotate", reason=reason)
            if reason == "age" or self._rest.clock.now() - opened_s > SHORT_LIFE_S:
                churn.reset()
            else:
                # A notice leaves a minute: no need to wait as long as for an eviction.
                longest_s = NOTICE_WAIT_S if self._coverage.has(current) else churn.cap
                await self._rest.clock.sleep(min(churn.next(), longest_s))
            following = await self._open(group)
            group.create_task(self._retire(current))
            current = following

    async def _leaving(self, reader: ChannelReader) -> str:
        seconds = min(self._options.rotate, reader.channel.life * LIFE_SHARE)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(reader.leaving)
        except TimeoutError:
            return "age"

    async def _open(self, group: asyncio.TaskGroup) -> ChannelReader:
        """A new channel, subscribed and its socket open."""
        backoff = Backoff(self._rest.clock)
        while True:
            reader = ChannelReader(
                await self._channels.create(),
                self._rest,
                silence=self._options.silence,
                max_bytes=self._options.max_bytes,
                put=self._put,
                coverage=self._coverage,
            )
            self._readers[reader] = None
            if await self._opened(reader, group):
                return reader
            self._drop(reader)
            self._coverage.cannot_open()
            await backoff.wait()

    async def _opened(self, reader: ChannelReader, group: asyncio.TaskGroup) -> bool:
        try:
            await self._subscriptions.bring(reader)
        except GenesysRequestError as error:
            if error.status != 404:
                raise
            return False
        task = self._readers[reader] = group.create_task(reader.run())
        opened = asyncio.create_task(reader.opened.wait())
        try:
            ended: set[asyncio.Future[Any]] = {opened, task, reader.leaving}
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if not reader.opened.is_set():
            return False
        await self.listen_to(self._subscriptions.topics)  # they may have changed while this channel was being made
        return True

    def _drop(self, reader: ChannelReader) -> None:
        if (task := self._readers.pop(reader, None)) is not None:
            task.cancel()

    async def _retire(self, reader: ChannelReader) -> None:
        reader.retire()
        await self._rest.clock.sleep(self._options.overlap)
        try:
            # Or nobody would hear of what it has lost since the last look.
            if reader in self._reading() and await self._subscriptions.held(reader) is False:
                self._doubt()
            await reader.finish()
            self._drop(reader)
            await self._channels.clear(reader.channel)
        except GenesysError as error:
            log.info("genesys.channel.left", reason=str(error))
        finally:
            self._drop(reader)
