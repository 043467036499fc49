"""This module keeps the channels of one part: as many as the plan gives it, each with its share of the topics.

Topics by conversation (`{conversation}`) go where there is room beside these, and on channels opened for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.notifications.rotation import ChannelRotation, RotationOptions
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from processors.event.strict_json import JsonObject
from processors.genesys.interval import Interval
from processors.genesys.topics.by_conversation import ConversationTopics
from processors.genesys.topics.plan import (
    MAX_CHANNELS,
    TOPICS_PER_CHANNEL,
    TopicPlan,
    channels_of,
    separate,
    spare_channels,
)
from settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConversationRoom:
    """How much topics of conversations may take.

    `channels`: those used when they need room; a change of channel needs one more for a while. `topics`: those of a
    channel. `calls_s`: between two calls that subscribe conversations; Genesys allows 300 calls a minute and token,
    and all parts share one.
    """

    channels: int = MAX_CHANNELS - 2
    topics: int = TOPICS_PER_CHANNEL
    calls_s: float = 1.0


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
        room: ConversationRoom,
    ) -> None:
        self._rest, self._settings = rest, settings
        self._part, self._parts = part, parts
        self._put, self._gap = put, gap
        self._since_ms, self._margin_ms, self._limits = since_ms, margin_ms, room
        self._doubted, self._come = asyncio.Event(), asyncio.Event()
        self._conversations = ConversationTopics(int(settings.genesys_conversation_linger * 1000))
        self._changing = asyncio.Lock()  # which channels there are, and what they hold
        self._spare: tuple[int, ...] = ()  # channels that may be opened for conversations
        self._rotations: dict[int, ChannelRotation] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._shares: dict[int, tuple[str, ...]] = {}
        self.elsewhere: frozenset[str] = frozenset()  # the names under which events come to other parts
        self._positions: dict[int, int] = {}
        self._followed_ms: int | None = None

    @property
    def topics(self) -> frozenset[str]:
        """The names under which the part's events arrive."""
        return frozenset(name for share in self._shares.values() for topic in share for name in separate(topic))

    @property
    def templates(self) -> frozenset[str]:
        """Those of topics by conversation."""
        return frozenset(self._conversations.templates)

    @property
    def position_ms(self) -> int | None:
        """Every event before this (epoch ms) was settled, on all channels; None before the first one."""
        if not self._rotations and self._followed_ms is not None:
            return self._followed_ms  # nothing was to be heard
        return min(self._positions.values(), default=self._since_ms)

    @property
    def resume_ms(self) -> int | None:
        """Where the next owner begins: no later than the last look that found every channel subscribed.

        A topic can be lost without a notice, and the process end before the next look.
        """
        looks = [rotation.confirmed_ms for rotation in self._rotations.values()]
        return min((one for one in (self.position_ms, *looks) if one is not None), default=None)

    def settled(self, channel: int, since_ms: int) -> None:
        """All that this channel brought before is settled."""
        if channel in self._rotations:
            self._positions[channel] = max(self._positions.get(channel, 0), since_ms)

    async def run(self) -> None:
        """Keep the channels open. Raises GenesysError when Genesys refuses for good."""
        async with asyncio.TaskGroup() as self._group:
            for channel in self._rotations:
                self._start(channel)
            await asyncio.Event().wait()

    async def doubted(self) -> None:
        """Wait until a notice gives cause to verify."""
        await self._doubted.wait()

    async def verify(self) -> bool:
        """Whether every channel holds its topics; those that do not are fixed. Raises GenesysError."""
        self._doubted.clear()
        return all([await rotation.verify() for rotation in list(self._rotations.values())])

    async def follow(self, plan: TopicPlan) -> None:
        """Listen to what the plan gives this part, and to nothing else."""
        async with self._changing:
            await self._follow(plan)

    async def _follow(self, plan: TopicPlan) -> None:
        every = plan.shares()
        shares = {channel: every[channel] for channel in channels_of(self._part, self._parts, plan.channels)}
        self._plan_conversations(plan, shares)
        for channel in [one for one in self._rotations if one not in shares]:
            self._end(channel)
        late = False
        for channel, topics in shares.items():
            if channel not in self._rotations:
                self._begin(channel, self._since_ms if self._followed_ms is None else self._followed_ms)
            elif set(topics) - set(self._shares.get(channel, ())):
                late = True
            await self._rotations[channel].listen_to(self._all(channel, topics))
        if late and self._followed_ms is not None:
            self._gap(Interval(self._followed_ms - self._margin_ms, self._rest.clock.wall_ms() + self._margin_ms))
        self._shares, self._followed_ms = shares, plan.made_ms
        self.elsewhere = frozenset(name for topic in plan.topics for name in separate(topic)) - self.topics
        if self._conversations.waiting:
            self._come.set()

    def saw(self, envelope: JsonObject) -> None:
        """Take note of the conversation of an event."""
        if self._conversations.saw(envelope, self._rest.clock.wall_ms()):
            self._come.set()

    async def keep_conversations(self) -> None:
        """Subscribe the topics of conversations that come, many at once: one call in `pace` seconds as a rule."""
        pace = self._limits.calls_s * max(1, self._parts / 3)
        while True:
            await self._come.wait()
            self._come.clear()
            try:
                async with self._changing:
                    await self._place()
            except GenesysError as error:  # asked for again with the next look at the queues
                log.warning("genesys.conversations.not_subscribed", reason=str(error))
            await self._rest.clock.sleep(pace)

    def _plan_conversations(self, plan: TopicPlan, shares: dict[int, tuple[str, ...]]) -> None:
        """Adds to `shares` the channels that are there for conversations alone."""
        self._conversations.templates = plan.conversation
        self._conversations.forget_over(self._rest.clock.wall_ms())
        spare = spare_channels(self._part, self._parts, plan.channels, self._limits.channels)
        self._spare = spare if plan.conversation else ()
        for channel in self._conversations.counts():
            known = channel in shares or channel in self._spare
            self._conversations.fit(channel, self._limits.topics - len(shares.get(channel, ())) if known else 0)
        shares |= {channel: () for channel in self._spare if channel in self._rotations}

    async def _place(self) -> None:
        added = self._conversations.place(self._room())
        for channel in self._spare:
            if self._conversations.waiting and channel not in self._rotations:
                self._shares[channel] = ()
                self._begin(channel, None)
                added |= self._conversations.place({channel: self._limits.topics})
        waiting = self._conversations.waiting  # those that come while Genesys is asked have their turn next
        for channel, topics in added.items():
            await self._rotations[channel].add(topics)
        if not waiting:
            return
        for channel in self._conversations.forget_over(self._rest.clock.wall_ms()):
            await self._rotations[channel].listen_to(self._all(channel, self._shares[channel]))
            self._come.set()
        if not self._come.is_set() and (left_out := self._conversations.left_out()):
            log.error("genesys.conversations.left_out", conversations=left_out[:20], of=len(left_out))
            self._rest.observer.count("topic_left_out", len(left_out) * len(self.templates))

    def _room(self) -> dict[int, int]:
        """How many more topics each channel can hold."""
        held = self._conversations.counts()
        return {channel: self._limits.topics - len(share) - held[channel] for channel, share in self._shares.items()}

    def _all(self, channel: int, share: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*share, *self._conversations.held(channel)}))

    def _begin(self, channel: int, since_ms: int | None) -> None:
        if since_ms is not None:
            self._positions[channel] = since_ms

        async def put(frame: ReceivedFrame) -> None:
            await self._put(ChannelFrame(channel, frame))

        options = RotationOptions.from_settings(self._settings, self._margin_ms, since_ms)
        self._rotations[channel] = ChannelRotation(self._rest, options, put=put, gap=self._gap, doubt=self._doubted.set)
        self._start(channel)

    def _start(self, channel: int) -> None:
        if self._group is not None and channel not in self._tasks:
            self._tasks[channel] = self._group.create_task(self._rotations[channel].run())

    def _end(self, channel: int) -> None:
        del self._rotations[channel]
        self._positions.pop(channel, None)
        task = self._tasks.pop(channel, None)
        if task is not None:
            task.cancel()
