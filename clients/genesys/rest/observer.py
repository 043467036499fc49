"""This module carries what the Genesys client tells the outside: whether it is healthy, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Literal

CountName = Literal[
    "token_renewed",  # a token was fetched
    "request_retried",  # a REST call was tried again: 401, 429, 5xx or network
    "request_paced",  # a REST call waited for the rate limit
    "stream_reconnected",  # the HTTP event stream was opened again
    "half_line_dropped",  # a line cut off by the network: never received whole, so no event
    "socket_reconnected",  # a notification socket was opened again
    "channel_created",  # a notification channel was made
    "topic_rejected",  # Genesys does not let us listen to a topic
    "topic_left_out",  # a conversation's topic for which no channel has room
    "topic_lost",  # a topic that a channel had been subscribed to and did not hold any more
    "frame_duplicate",  # a frame came twice, while two channels overlapped or from Genesys itself
    "frame_unchanged",  # a conversation snapshot repeated the state last seen
    "step_derived",  # a step between two snapshots of a conversation
    "frame_dropped",  # a frame that can be no event: a system message nobody knows
    "queue_name_missing",  # a queue's name could not be looked up
    "gap_opened",  # a socket was down
    "gap_healed",  # what was missed has been fetched
    "gap_partly_healed",  # part of it: some of the topics cannot be fetched afterwards
    "gap_lost",  # a gap got too old before it could be filled
    "event_backfilled",  # an event made from the analytics query
    "backfill_known",  # one that came before: gaps are filled with a margin, and more than once
]


def _ignore_trouble(reason: str | None) -> None:
    """For callers that do not watch health."""


def _ignore_count(name: CountName, amount: int) -> None:
    """For callers that do not watch counts."""


class Observer:
    """Health and counts of one client.

    Several parts can be in trouble at once; `on_trouble` hears the latest reason, and None when the last
    trouble is over. `counts` keeps the sums; `on_count` hears each addition.
    """

    def __init__(
        self,
        on_trouble: Callable[[str | None], None] = _ignore_trouble,
        on_count: Callable[[CountName, int], None] = _ignore_count,
    ) -> None:
        self.counts: Counter[CountName] = Counter()
        self._on_trouble = on_trouble
        self._on_count = on_count
        self._troubles: dict[Hashable, str] = {}

    @property
    def reason(self) -> str | None:
        """The latest trouble that is not over, or None."""
        return next(reversed(self._troubles.values()), None)

    def trouble(self, part: Hashable, reason: str) -> None:
        """`part` (any key) does not work at present, for this reason."""
        before = self.reason
        self._troubles.pop(part, None)
        self._troubles[part] = reason
        if reason != before:
            self._on_trouble(reason)

    def healthy(self, part: Hashable) -> None:
        """`part` works, or is no more."""
        before = self.reason
        if self._troubles.pop(part, None) is not None and self.reason != before:
            self._on_trouble(self.reason)

    def count(self, name: CountName, amount: int = 1) -> None:
        self.counts[name] += amount
        self._on_count(name, amount)
