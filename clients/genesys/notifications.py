"""This module is the notification source: one shard's events, over channels, cuts, rotations and gaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson
import structlog

from clients.genesys.errors import GenesysError
from clients.genesys.gaps import PASSES_S, GapHealer, GapReport
from clients.genesys.inbox import Inbox
from clients.genesys.keeper import ChannelKeeper, KeeperOptions
from clients.genesys.listening import TopicResolver
from clients.genesys.queues import QueueNames
from clients.genesys.reader import Received
from clients.genesys.rest import GenesysRest
from clients.genesys.topics import RefusedTopic, separate
from processors.conversation import Interval
from processors.event import JsonObject, derive_event_id
from processors.lines import Line
from processors.notification import (
    SeenEvents,
    SeenStates,
    queue_id,
    snapshot_key,
    snapshot_state,
    with_queue,
)
from streams.settings import Settings

log = structlog.get_logger(__name__)

#: Frames that wait for the consumer; more are left in the sockets.
INBOX = 64
#: Seconds that an event id is remembered beyond the overlap of two channels.
REPEAT_WINDOW_S = 300.0

Item = Received | GapReport | JsonObject
OnGap = Callable[[GapReport], Awaitable[None]]


async def _ignore_gap(report: GapReport) -> None:
    """For callers that keep no record of gaps."""


@dataclass(slots=True)
class _Batch:
    """What goes out at once; `since_ms`: all before was received; `report`: to be told after it."""

    lines: list[Line] = field(default_factory=list)
    since_ms: int | None = None
    report: GapReport | None = None


class NotificationSource:
    """The events of shard `shard` of `shards`: this share of the topics, on one channel of its own.

    `since_ms`: `position_ms` of an earlier owner of the shard; the time since is healed as a gap. `gaps`:
    gaps that an earlier owner left unhealed. `on_gap` is awaited between two batches, when all before are
    settled: what it writes down is true.
    """

    def __init__(
        self,
        rest: GenesysRest,
        settings: Settings,
        shard: int,
        shards: int,
        on_gap: OnGap = _ignore_gap,
        *,
        since_ms: int | None = None,
        gaps: Sequence[Interval] = (),
        resolver: TopicResolver | None = None,
        passes: tuple[float, ...] = PASSES_S,
    ) -> None:
        self._rest, self._settings = rest, settings
        self._shard, self._shards = shard, shards
        self._on_gap = on_gap
        self._names = QueueNames(rest)
        self._resolver = resolver or TopicResolver(rest, settings, self._names)
        self._inbox: Inbox[Item] = Inbox(INBOX)
        self._seen = SeenEvents(settings.genesys_channel_overlap + REPEAT_WINDOW_S)
        self._states = SeenStates()
        self._topics: frozenset[str] = frozenset()
        self._refused: tuple[RefusedTopic, ...] = ()
        options = KeeperOptions.from_settings(settings, since_ms)
        self._keeper = ChannelKeeper(rest, options, put=self._inbox.put, gap=self._found_gap)
        self._healer = GapHealer(
            rest,
            shard,
            topics=lambda: self._topics,
            put=self._inbox.put,
            report=self._inbox.put,
            max_age=settings.genesys_backfill_max_age,
            passes=passes,
            enabled=settings.genesys_backfill,
        )
        for interval in gaps:
            self._healer.add(interval, announced=True)
        #: Every event before this (epoch ms) is in a batch that was settled; None before the first one.
        self.position_ms: int | None = since_ms

    @property
    def topics(self) -> frozenset[str]:
        """The names under which this shard's events arrive."""
        return self._topics

    @property
    def unhealed(self) -> tuple[Interval, ...]:
        """The gaps that are not done with."""
        return self._healer.unhealed

    async def frames(self) -> AsyncGenerator[Line, None]:
        """The same as `batches`, one by one."""
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for line in batch:
                    yield line

    async def batches(self) -> AsyncGenerator[list[Line], None]:
        """What has come, as lists of envelopes in bytes, for ever; never an empty list.

        An envelope is `{topicName, version, eventBody, metadata}`, with `queue: {id, name}` where the name is
        known and `backfilled: true` where it is so. What is no event is given as it came, for a failure record;
        a frame over `GENESYS_MAX_LINE_BYTES` as OversizedLine. Who pulls the next list has settled the last
        one. Raises GenesysError when Genesys refuses for good (credentials, permissions).
        """
        runner = asyncio.create_task(self._run())
        runner.add_done_callback(self._ended)
        try:
            while True:
                batch = await self._next_batch()
                if batch.lines:
                    yield batch.lines
                if batch.since_ms is not None:
                    self.position_ms = max(self.position_ms or 0, batch.since_ms)
                if batch.report is not None:
                    await self._on_gap(batch.report)
        finally:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)
            await self._names.aclose()

    async def _next_batch(self) -> _Batch:
        """All that is there now, up to a report on a gap: what it speaks of must be settled before it is told."""
        batch = _Batch()
        item: Item | None = await self._inbox.get()
        while item is not None:
            if isinstance(item, GapReport):
                batch.report = item
                break
            if isinstance(item, Received):
                batch.since_ms = max(batch.since_ms or 0, item.since_ms)
            line = await (self._live(item) if isinstance(item, Received) else self._past(item))
            if line is not None:
                batch.lines.append(line)
            item = self._inbox.get_nowait() if len(batch.lines) < INBOX else None
        return batch

    async def _run(self) -> None:
        await self._resolve()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keeper.run())
            group.create_task(self._refresh())
            group.create_task(self._healer.run())

    def _ended(self, runner: asyncio.Task[None]) -> None:
        if not runner.cancelled() and (error := runner.exception()) is not None:
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self._inbox.fail(error)

    async def _refresh(self) -> None:
        """Look for new queues every few minutes; a refusal then is no reason to stop listening."""
        while True:
            await self._rest.clock.sleep(self._settings.genesys_queue_refresh)
            try:
                await self._resolve()
            except GenesysError as error:
                log.warning("genesys.topics.not_refreshed", reason=str(error))

    async def _resolve(self) -> None:
        plan = await self._resolver.resolve()
        for one in set(plan.refused) - set(self._refused):
            log.error("genesys.topic.refused", topic=one.topic, reason=one.reason)
            self._rest.observer.count("topic_rejected")
        self._refused = plan.refused
        topics = plan.shard(self._shard, self._shards)
        self._topics = frozenset(name for topic in topics for name in separate(topic))
        if plan.topics:
            self._rest.observer.well("plan")
        else:
            reasons = "; ".join(f"{one.topic} {one.reason}" for one in plan.refused[:3])
            self._rest.observer.trouble("plan", f"nothing to listen to: {reasons or 'no queue matches'}")
        await self._keeper.listen_to(topics)

    def _found_gap(self, interval: Interval) -> None:
        self._rest.observer.count("gap_opened")
        seconds = (interval.end_ms - interval.start_ms) / 1000
        log.warning("genesys.gap.opened", shard=self._shard, start_ms=interval.start_ms, seconds=seconds)
        self._healer.add(interval)

    async def _past(self, envelope: JsonObject) -> Line | None:
        """A backfilled event that goes on; None when it is known."""
        if self._is_known(envelope):
            self._rest.observer.count("backfill_known")
            return None
        self._rest.observer.count("event_backfilled")
        return await self._named(orjson.dumps(envelope), envelope)

    async def _live(self, item: Received) -> Line | None:
        """What of a frame goes on; None when nothing does."""
        envelope = item.frame.envelope
        if item.frame.kind == "malformed" or envelope is None or not isinstance(item.value, bytes):
            return item.value
        if item.frame.kind == "reply" or item.frame.topic.startswith("v2.system."):
            if item.frame.kind != "closing":
                self._rest.observer.count("frame_dropped")
            return None
        if item.frame.kind != "event" or self._is_repeated(envelope) or self._is_unchanged(envelope):
            return None
        return await self._named(item.value, envelope)

    def _is_repeated(self, envelope: JsonObject) -> bool:
        """Whether this very event came before: from the channel beside, or sent twice."""
        if self._seen.is_new(derive_event_id(envelope), self._rest.clock.now()):
            return False
        self._rest.observer.count("frame_duplicate")
        return True

    def _is_unchanged(self, envelope: JsonObject) -> bool:
        state = snapshot_state(envelope)
        if state is None or self._states.is_change(snapshot_key(envelope), state):
            return False
        if not self._settings.genesys_drop_unchanged:
            return False
        self._rest.observer.count("frame_unchanged")
        return True

    def _is_known(self, envelope: JsonObject) -> bool:
        """Whether a backfilled snapshot was given before, or shows a state that a live one has shown."""
        if not self._seen.is_new(derive_event_id(envelope), self._rest.clock.now()):
            return True
        state = snapshot_state(envelope)
        return state is not None and not self._states.is_unseen(snapshot_key(envelope), state)

    async def _named(self, value: bytes, envelope: JsonObject) -> bytes:
        queue = queue_id(envelope)
        name = await self._names.name(queue) if queue is not None else None
        return value if queue is None or name is None else with_queue(value, envelope, queue, name)
