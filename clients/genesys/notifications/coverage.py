"""This module knows whether the topics of a channel and its successors are covered, and tells the gaps between."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from clients.genesys.notifications.channel_reader import ChannelReader
from clients.genesys.rest.client import GenesysRest
from processors.genesys.interval import Interval

log = structlog.get_logger(__name__)


class TopicCoverage:
    """Hears of sockets that open and end, side by side at times. `gap` hears from when to when none was open.

    `margin_ms` is added to both ends of a gap; `since_ms`: up to here an earlier owner has read, None when there was
    none. `doubt` hears that the channels should be looked at.
    """

    def __init__(
        self,
        rest: GenesysRest,
        margin_ms: int,
        since_ms: int | None,
        gap: Callable[[Interval], None],
        doubt: Callable[[], None],
    ) -> None:
        self._rest, self._margin_ms, self._gap, self._doubt = rest, margin_ms, gap, doubt
        self._live: set[ChannelReader] = set()
        self._down_since_ms = since_ms
        #: Under which key health hears of topics that were lost.
        self.losses = (self, "lost")

    @property
    def is_there(self) -> bool:
        """Whether any socket is open."""
        return bool(self._live)

    def has(self, reader: ChannelReader) -> bool:
        """Whether that channel's socket is open."""
        return reader in self._live

    def up(self, reader: ChannelReader) -> None:
        """A socket is open and its channel subscribed."""
        self._live.add(reader)
        log.info("genesys.socket.opened", topics=len(reader.topics))
        self._rest.observer.healthy(self)
        if self._down_since_ms is not None:
            now_ms = self._rest.clock.wall_ms()
            since_ms = min(self._down_since_ms, now_ms)
            self._down_since_ms = None
            self.lost(since_ms, now_ms)

    def down(self, reader: ChannelReader, since_ms: int) -> None:
        """A socket has ended; all before `since_ms` was read.

        Nothing is believed of the time between, though it was to be left: it may have been cut for long.
        """
        self._live.discard(reader)
        if not self._live:
            self._down_since_ms = since_ms
            return
        covered_ms = min(other.opened_ms for other in self._live)
        if since_ms < covered_ms:
            self.lost(since_ms, covered_ms)

    def lost(self, start_ms: int, end_ms: int) -> None:
        """In that time something may not have been received."""
        self._gap(Interval(start_ms - self._margin_ms, end_ms + self._margin_ms))

    def doubt(self, reader: ChannelReader, reason: str) -> None:
        """A notice gives cause to look at the channels; `reason`: what is wrong for certain."""
        if reason and not reader.retired:
            self._rest.observer.trouble(self.losses, reason)
        self._doubt()

    def cannot_open(self) -> None:
        """No channel can be had just now: as long as none is open, that is trouble."""
        if not self._live:
            self._rest.observer.trouble(self, "no notification channel can be opened")

    def close(self) -> None:
        """Nobody listens any more, so nothing is wrong."""
        for trouble in (self, self.losses):
            self._rest.observer.healthy(trouble)
