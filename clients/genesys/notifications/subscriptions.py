"""This module keeps channels subscribed to their topics, and looks whether Genesys has it so.

A subscription is verified, not believed: Genesys can drop topics with a notice that gets lost, or with none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

import structlog

from clients.genesys.notifications.channel_api import ChannelClient, RejectedTopic
from clients.genesys.notifications.channel_reader import ChannelReader
from clients.genesys.rest.client import GenesysRest
from processors.event.identity import ANY_ID
from processors.genesys.topics.plan import separate

log = structlog.get_logger(__name__)


class Subscriptions:
    """The topics of one channel and its successors. Every method raises GenesysError.

    `gap` hears from when to when (epoch ms) topics were lost. `trouble`: under which key health hears of it; whoever
    has it says when it is over.
    """

    def __init__(self, rest: GenesysRest, gap: Callable[[int, int], None], trouble: Hashable) -> None:
        self._rest, self._channels = rest, ChannelClient(rest)
        self._gap, self._trouble = gap, trouble
        self.topics: tuple[str, ...] = ()
        self.rejected: tuple[RejectedTopic, ...] = ()
        self._kinds: set[str] = set()  # of topics by conversation that were reported as rejected
        self._suspects: set[str] = set()  # names that Genesys did not list right after they were subscribed
        self._unlisted: set[str] = set()  # those that it does not list though they are subscribed
        self._lock = asyncio.Lock()  # what is asked for and what is believed change together

    async def bring(self, reader: ChannelReader, *, again: bool = False) -> None:
        """Have the channel hold the topics; ask for them `again` though it is believed to.

        Raises GenesysRequestError with status 404 when the channel is gone.
        """
        async with self._lock:
            while again or reader.topics != self.topics:
                topics = self.topics
                if reader.topics and not again:
                    await self._held(reader)  # what was lost before would be hidden by the new subscription
                rejected = await self._channels.subscribe(reader.channel, topics)
                reader.topics, reader.sure_ms = topics, self._rest.clock.wall_ms()
                self._tell(topics, rejected)
                if again:
                    await self._note_unlisted(reader)
                again = False

    async def add(self, reader: ChannelReader, topics: tuple[str, ...]) -> None:
        """Subscribe more of the topics on a channel that has some; hides nothing that was lost."""
        async with self._lock:
            if not reader.topics:
                return  # it is about to be given all of them
            rejected = await self._channels.subscribe(reader.channel, topics, add=True)
            reader.topics = tuple(sorted({*reader.topics, *topics}))
            for one in rejected:
                kind = ANY_ID.sub("{id}", one.topic)
                if kind not in self._kinds:
                    self._kinds.add(kind)
                    log.error("genesys.topic.rejected", topic=kind, reason=one.reason, missing=one.permissions)
                self._rest.observer.count("topic_rejected")
            self.rejected += rejected

    async def held(self, reader: ChannelReader) -> bool | None:
        """Whether Genesys has the channel subscribed as we believe; None when it does not tell.

        What is lost is reported, with the time since it was there for the last time.
        """
        async with self._lock:
            return await self._held(reader)

    async def _held(self, reader: ChannelReader) -> bool | None:
        sure_ms, asked_ms = reader.sure_ms, self._rest.clock.wall_ms()
        wanted, missing = await self._missing(reader)
        if missing is None:
            return None
        self._unlisted &= missing
        lost = missing - self._unlisted
        if not lost:
            reader.sure_ms = asked_ms
            return True
        log.error("genesys.topics.lost", lost=len(lost), of=len(wanted), since_ms=sure_ms)
        reason = f"{len(lost)} of {len(wanted)} topics were no longer subscribed; what they missed is being fetched"
        self._rest.observer.trouble(self._trouble, reason)
        self._rest.observer.count("topic_lost", len(lost))
        self._gap(sure_ms, asked_ms)
        return False

    async def _missing(self, reader: ChannelReader) -> tuple[set[str], set[str] | None]:
        """The names that a channel should hold, and those that Genesys does not list; None: it does not tell."""
        wanted = {name for topic in reader.topics for name in separate(topic)} - {one.topic for one in self.rejected}
        held = await self._channels.held(reader.channel)
        listed = {name.casefold() for name in held or ()}
        return wanted, None if held is None else {name for name in wanted if name.casefold() not in listed}

    async def _note_unlisted(self, reader: ChannelReader) -> None:
        """What is missing from the list right after it was subscribed, twice running, is not lost, only not listed.

        Otherwise each look would find a gap that is none.
        """
        missing = (await self._missing(reader))[1] or set()
        for name in sorted((missing & self._suspects) - self._unlisted):
            log.warning("genesys.topic.not_listed", topic=name)
        self._unlisted |= missing & self._suspects
        self._suspects = missing

    def _tell(self, topics: tuple[str, ...], rejected: tuple[RejectedTopic, ...]) -> None:
        """Report every rejected topic, once for as long as the rejection lasts."""
        for one in set(rejected) - set(self.rejected):
            log.error("genesys.topic.rejected", topic=one.topic, reason=one.reason, missing=one.permissions)
            self._rest.observer.count("topic_rejected")
        self.rejected = rejected
        if topics and len(rejected) >= len(topics):
            missing = sorted({permission for one in rejected for permission in one.permissions})
            reason = f"every topic is rejected; missing permissions: {', '.join(missing) or 'not named'}"
            self._rest.observer.trouble(self, reason)
        else:
            self._rest.observer.healthy(self)
