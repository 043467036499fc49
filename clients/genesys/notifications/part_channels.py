"""This module keeps the channels of one part: as many as the plan gives it, each with its share of the topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.notifications.rotation import ChannelRotation, KeeperOptions
from clients.genesys.rest.client import GenesysRest
from processors.genesys.interval import Interval
from processors.genesys.topics import TopicPlan, channels_of, separate
from settings import Settings


@dataclass(frozen=True, slots=True)
class ChannelFrame:
    """A frame, and the number of the channel that brought it."""

    channel: int
    frame: ReceivedFrame


class PartChannels:
    """Follows the plan while `run` runs. `since_ms`: up to here an earlier owner of the part has read.

    Topics that come later were not heard since the plan before, by this part or by the one that they were
    moved from: that time is a gap like any other.
    """

    def __init__(
        self,
        rest: GenesysRest,
        settings: Settings,
        part: int,
        parts: int,
        *,
        put: Callable[[ChannelFrame], Awaitable[None]],
        gap: Callable[[Interval], None],
        since_ms: int | None,
        margin_ms: int,
    ) -> None:
        self._rest, self._settings = rest, settings
        self._part, self._parts = part, parts
        self._put, self._gap = put, gap
        self._since_ms, self._margin_ms = since_ms, margin_ms
        self._doubted = asyncio.Event()
        self._keepers: dict[int, ChannelRotation] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._shares: dict[int, tuple[str, ...]] = {}
        self._positions: dict[int, int] = {}
        self._followed_ms: int | None = None

    @property
    def topics(self) -> frozenset[str]:
        """The names under which the part's events arrive."""
        return frozenset(name for share in self._shares.values() for topic in share for name in separate(topic))

    @property
    def position_ms(self) -> int | None:
        """Every event before this (epoch ms) was settled, on all channels; None before the first one."""
        if not self._keepers and self._followed_ms is not None:
            return self._followed_ms  # nothing was to be heard
        return min(self._positions.values(), default=self._since_ms)

    def settled(self, channel: int, since_ms: int) -> None:
        """All that this channel brought before is settled."""
        if channel in self._keepers:
            self._positions[channel] = max(self._positions.get(channel, 0), since_ms)

    async def run(self) -> None:
        """Keep the channels open. Raises GenesysError when Genesys refuses for good."""
        async with asyncio.TaskGroup() as self._group:
            for channel in self._keepers:
                self._start(channel)
            await asyncio.Event().wait()

    async def doubted(self) -> None:
        """Wait until a notice gives cause to verify."""
        await self._doubted.wait()

    async def verify(self) -> bool:
        """Whether every channel holds its topics; those that do not are mended. Raises GenesysError."""
        self._doubted.clear()
        return all([await keeper.verify() for keeper in list(self._keepers.values())])

    async def follow(self, plan: TopicPlan) -> None:
        """Listen to what the plan gives this part, and to nothing else."""
        every = plan.shares()
        shares = {channel: every[channel] for channel in channels_of(self._part, self._parts, plan.channels)}
        for channel in [one for one in self._keepers if one not in shares]:
            self._end(channel)
        late = False
        for channel, topics in shares.items():
            if channel not in self._keepers:
                self._begin(channel)
            elif set(topics) - set(self._shares.get(channel, ())):
                late = True
            await self._keepers[channel].listen_to(topics)
        if late and self._followed_ms is not None:
            now_ms = int(self._rest.clock.wall() * 1000)
            self._gap(Interval(self._followed_ms - self._margin_ms, now_ms + self._margin_ms))
        self._shares, self._followed_ms = shares, plan.made_ms

    def _begin(self, channel: int) -> None:
        since_ms = self._since_ms if self._followed_ms is None else self._followed_ms
        if since_ms is not None:
            self._positions[channel] = since_ms

        async def put(frame: ReceivedFrame) -> None:
            await self._put(ChannelFrame(channel, frame))

        options = KeeperOptions.from_settings(self._settings, self._margin_ms, since_ms)
        self._keepers[channel] = ChannelRotation(self._rest, options, put=put, gap=self._gap, doubt=self._doubted.set)
        self._start(channel)

    def _start(self, channel: int) -> None:
        if self._group is not None and channel not in self._tasks:
            self._tasks[channel] = self._group.create_task(self._keepers[channel].run())

    def _end(self, channel: int) -> None:
        del self._keepers[channel]
        self._positions.pop(channel, None)
        task = self._tasks.pop(channel, None)
        if task is not None:
            task.cancel()
