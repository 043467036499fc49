"""This module is the notification source: one part's events, over channels, cuts, rotations and gaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from clients.genesys.notifications.gap_healer import GapHealer, GapReport, GapTimes
from clients.genesys.notifications.listening_plan import ListeningPlan
from clients.genesys.notifications.mailbox import Mailbox
from clients.genesys.notifications.part_channels import ChannelFrame, ConversationRoom, PartChannels
from clients.genesys.notifications.repetition_filter import RepetitionFilter
from clients.genesys.queues import QueueNames
from clients.genesys.rest.client import GenesysRest
from clients.genesys.topic_resolver import TopicResolver
from processors.event.lines import SourceLine
from processors.event.redaction import redactor
from processors.genesys.analytics.snapshots import Snapshot
from processors.genesys.frames import read_frame
from processors.genesys.interval import Interval
from settings import Settings

log = structlog.get_logger(__name__)

#: Frames that wait for the consumer; more are left in the sockets.
MAILBOX_FRAMES = 64
#: Seconds that an event id is remembered beyond the overlap of two channels.
REPEAT_WINDOW_S = 300.0

ROOM = ConversationRoom()

Item = ChannelFrame | GapReport | Snapshot
OnGap = Callable[[GapReport], Awaitable[None]]
ReadRecent = Callable[[], AsyncGenerator[tuple[bytes, int], None]]


async def _ignore_gap(report: GapReport) -> None:
    """For callers that keep no record of gaps."""


async def _nothing() -> AsyncGenerator[tuple[bytes, int], None]:
    """For callers that have no earlier events."""
    return
    yield  # which makes it a generator


@dataclass(slots=True)
class _Batch:
    """What goes out at once; `since_ms`: by channel, all before was received; `report`: what follows it."""

    lines: list[SourceLine] = field(default_factory=list)
    since_ms: dict[int, int] = field(default_factory=dict)
    report: GapReport | None = None


class NotificationSource:
    """The events of part `part` of `parts`: the channels that the plan gives it, and their gaps.

    `since_ms`: `resume_ms` of an earlier owner of the part; the time since is healed as a gap. `gaps`:
    gaps that an earlier owner left unhealed. `recent`: events, with their times in epoch ms, that earlier
    owners let through since then and shortly before, which do not go on again. `resolver` and its `names` may
    be shared by all parts of a process. `on_gap` is awaited between two batches, when all before are settled:
    what it writes down is true.
    """

    def __init__(
        self,
        rest: GenesysRest,
        settings: Settings,
        part: int,
        parts: int,
        on_gap: OnGap = _ignore_gap,
        *,
        since_ms: int | None = None,
        gaps: Sequence[Interval] = (),
        recent: ReadRecent = _nothing,
        resolver: TopicResolver | None = None,
        times: GapTimes | None = None,
        room: ConversationRoom = ROOM,
    ) -> None:
        self._rest, self._settings = rest, settings
        self._part = part
        self._on_gap, self._recent = on_gap, recent
        self._owns_names = resolver is None
        resolver = resolver or TopicResolver(rest, settings, QueueNames(rest))
        self._names = resolver.names
        self._mailbox: Mailbox[Item] = Mailbox(MAILBOX_FRAMES)
        self._planned = asyncio.Event()  # or all is over
        times = times or GapTimes(settings.genesys_backfill_delays)
        self._channels = PartChannels(
            rest,
            settings,
            part,
            parts,
            put=self._mailbox.put,
            gap=self._found_gap,
            since_ms=since_ms,
            margin_ms=times.margin_ms,
            room=room,
        )
        self._filter = self._new_filter(since_ms)
        self._plan = ListeningPlan(rest, settings, resolver, self._channels, speaks=part == 0)
        self._healer = self._new_healer(times)
        for interval in gaps:
            self._healer.add(interval)

    @property
    def position_ms(self) -> int | None:
        """Every event before this (epoch ms) is in a batch that was settled; None before the first one."""
        return self._channels.position_ms

    @property
    def resume_ms(self) -> int | None:
        """From when on (epoch ms) the next owner of the part has to ask what happened; None before the first batch."""
        return self._channels.resume_ms if self.position_ms is not None else None

    @property
    def topics(self) -> frozenset[str]:
        """The names under which this part's events arrive."""
        return self._channels.topics

    @property
    def unhealed(self) -> tuple[Interval, ...]:
        """The gaps that are not done with."""
        return self._healer.unhealed

    async def batches(self) -> AsyncGenerator[list[SourceLine], None]:
        """What has come, as lists of envelopes in bytes, for ever; never an empty list.

        An envelope is `{topicName, version, eventBody, metadata}`, with `queue: {id, name}` where the name is
        known and `backfilled: true` where it is so. What is no event is given as it came, for a failure
        record; a frame over `GENESYS_MAX_LINE_BYTES` as OversizedLine. Who pulls the next list has settled
        the last one. Raises GenesysError when Genesys refuses for good (credentials, permissions).
        """
        runner = asyncio.create_task(self._run())
        runner.add_done_callback(self._ended)
        try:
            await self._planned.wait()
            if self.topics:
                await self._remember()
            while True:
                batch = await self._next_batch()
                if batch.lines:
                    yield batch.lines
                for channel, since_ms in batch.since_ms.items():
                    self._channels.settled(channel, since_ms)
                if batch.report is not None:
                    await self._on_gap(batch.report)
        finally:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)
            if self._owns_names:
                await self._names.aclose()

    async def _remember(self) -> None:
        async with aclosing(self._recent()) as recent:
            async for value, at_ms in recent:
                frame = read_frame(value)
                if frame.envelope is None:
                    continue
                self._filter.remember(frame.envelope, at_ms)
                if self._channels.templates and frame.topic in self.topics:
                    self._channels.saw(frame.envelope)

    def _new_filter(self, since_ms: int | None) -> RepetitionFilter:
        return RepetitionFilter(
            self._rest,
            self._names,
            window=self._settings.genesys_channel_overlap + REPEAT_WINDOW_S,
            drop_unchanged=self._settings.genesys_drop_unchanged,
            events=self._settings.genesys_events,
            redact=redactor(self._settings.redact_fields),
            covered_ms=since_ms,
            elsewhere=lambda: self._channels.elsewhere,
        )

    def _new_healer(self, times: GapTimes) -> GapHealer:
        return GapHealer(
            self._rest,
            self._part,
            topics=lambda: self.topics | self._channels.templates,
            put=self._mailbox.put,
            report=self._mailbox.put,
            max_age=self._settings.genesys_backfill_max_age,
            times=times,
            enabled=self._settings.genesys_backfill,
        )

    async def _next_batch(self) -> _Batch:
        """All that is there now, up to a report on a gap: what is before it must be settled first."""
        batch = _Batch()
        item: Item | None = await self._mailbox.get()
        while item is not None:
            if isinstance(item, GapReport):
                batch.report = item
                break
            if isinstance(item, ChannelFrame):
                batch.since_ms[item.channel] = max(batch.since_ms.get(item.channel, 0), item.frame.since_ms)
                if item.frame.frame.kind == "event" and item.frame.frame.envelope is not None:
                    self._channels.saw(item.frame.frame.envelope)
                batch.lines += await self._filter.live(item.frame)
            else:
                self._channels.saw(item.envelope)
                batch.lines += await self._filter.past(item)
            item = self._mailbox.get_nowait() if len(batch.lines) < MAILBOX_FRAMES else None
        return batch

    async def _run(self) -> None:
        await self._plan.resolve()
        self._planned.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._channels.run())
            group.create_task(self._plan.refresh())
            group.create_task(self._channels.keep_conversations())
            group.create_task(self._healer.run())

    def _ended(self, runner: asyncio.Task[None]) -> None:
        if not runner.cancelled() and (error := runner.exception()) is not None:
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self._mailbox.fail(error)
        self._planned.set()

    def _found_gap(self, interval: Interval) -> None:
        # Reported before any frame that follows: a crash then must not hide it behind `position_ms`.
        self._mailbox.put_nowait(GapReport(self._part, interval, "open"))
        self._rest.observer.count("gap_opened")
        seconds = (interval.end_ms - interval.start_ms) / 1000
        log.warning("genesys.gap.opened", part=self._part, start_ms=interval.start_ms, seconds=seconds)
        self._healer.add(interval)
