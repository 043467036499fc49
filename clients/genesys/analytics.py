"""This module asks the analytics query for the conversations of an interval, page by page.

POST /api/v2/analytics/conversations/details/query: all conversations with activity in the interval, at most
100 a page, at most 31 days.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from clients.genesys.queues import QueueNames
from clients.genesys.rest.client import GenesysRest
from processors.event.formats import iso
from processors.event.intake import Redact
from processors.event.strict_json import JsonObject
from processors.genesys.analytics.snapshots import Snapshot, snapshots
from processors.genesys.frames import queue_id, with_queue
from processors.genesys.interval import Interval
from processors.genesys.steps.memory import StepMemory
from processors.genesys.topics.plan import TopicPlan, separate

QUERY = "/api/v2/analytics/conversations/details/query"
PAGE_SIZE = 100
#: Short windows keep a long interval's pages few and its start early.
WINDOW_MS = 3_600_000
#: More queues than this are not named in the query: its answer is sifted here anyway.
QUEUES_NAMED = 100


class ConversationQuery:
    """The analytics query, through the one REST client."""

    def __init__(self, rest: GenesysRest, page_size: int = PAGE_SIZE, window_ms: int = WINDOW_MS) -> None:
        self._rest, self._page_size, self._window_ms = rest, page_size, window_ms

    async def during(self, interval: Interval, queues: Collection[str] = ()) -> AsyncGenerator[JsonObject, None]:
        """Conversations as the query tells them, by their start; `queues` empty = of all queues.

        One that lasts over several windows comes once for each. Raises PermissionMissingError
        (`analytics:conversationDetail:view`) and GenesysRequestError.
        """
        async with aclosing(self._pages(interval, queues)) as pages:
            async for _, found in pages:
                for conversation in found:
                    yield conversation

    async def events(
        self, interval: Interval, topics: Collection[str], until_ms: int = 0, unheard: Collection[Interval] = ()
    ) -> AsyncGenerator[Snapshot, None]:
        """The snapshots that these topics (as they arrive) should have brought in the interval.

        `until_ms` (epoch ms): how long conversations of the interval are followed beyond its end. `unheard`: when
        nobody listened.
        """
        async with aclosing(self._pages(interval, _queues(topics))) as pages:
            async for window, found in pages:  # a conversation gives each window what is the window's
                is_last = window.end_ms == interval.end_ms
                covered = Interval(window.start_ms, max(window.end_ms, until_ms)) if is_last else window
                for snapshot in chain.from_iterable(snapshots(one, covered, topics, unheard) for one in found):
                    yield snapshot

    async def _pages(
        self, interval: Interval, queues: Collection[str]
    ) -> AsyncGenerator[tuple[Interval, list[JsonObject]], None]:
        for window in interval.windows(self._window_ms):
            page, given = 1, 0
            last: list[Any] = []
            while True:
                body = _query(window, queues, self._page_size, page)
                answer = await self._rest.read("POST", QUERY, json=body, background=True)
                conversations = answer.get("conversations")
                found = conversations if isinstance(conversations, list) else []
                yield window, [conversation for conversation in found if isinstance(conversation, dict)]
                given += len(found)
                total = answer.get("totalHits")
                more = given < total if isinstance(total, int) else len(found) >= self._page_size
                if not found or not more or found == last:  # the same page again has no next one
                    break
                page, last = page + 1, found


@dataclass(slots=True)
class Backfilled:
    """The events of intervals as frames, queue names added; for the `backfill` command.

    `events`: which of snapshots and steps; steps are derived from what `redact` leaves of a snapshot, each once.
    """

    rest: GenesysRest
    plan: TopicPlan
    names: QueueNames
    events: Collection[str] = ("snapshots", "steps")
    redact: Redact | None = None
    _steps: StepMemory = field(default_factory=StepMemory)

    async def during(self, interval: Interval) -> AsyncGenerator[bytes, None]:
        topics = frozenset(name for topic in self.plan.topics for name in separate(topic))
        async with aclosing(ConversationQuery(self.rest).events(interval, topics)) as found:
            async for snapshot in found:
                for envelope in self._envelopes(snapshot):
                    queue = queue_id(envelope)
                    name = await self.names.name(queue) if queue else None
                    value = orjson.dumps(envelope)
                    yield with_queue(value, envelope, queue, name)[0] if queue and name else value

    def _envelopes(self, snapshot: Snapshot) -> Iterator[JsonObject]:
        if "steps" in self.events:
            masked = snapshot.envelope if self.redact is None else self.redact(snapshot.envelope)
            for step in self._steps.take(masked, snapshot.moment_ms, snapshot.since_ms):
                yield step.envelope(snapshot.envelope)
        if "snapshots" in self.events:
            yield snapshot.envelope


def _queues(topics: Collection[str]) -> Collection[str]:
    """The queues to name in the query; none when users are listened to as well, or too many queues."""
    queues = {queue for topic in topics if (queue := queue_id({"topicName": topic, "eventBody": {}}))}
    by_user = any(topic.startswith("v2.users.") for topic in topics)
    return () if by_user or len(queues) > QUEUES_NAMED else sorted(queues)


def _query(window: Interval, queues: Collection[str], page_size: int, page: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "interval": f"{iso(window.start_ms)}/{iso(window.end_ms)}",
        "order": "asc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": page_size, "pageNumber": page},
    }
    if queues:
        predicates = [
            {"type": "dimension", "dimension": "queueId", "operator": "matches", "value": queue} for queue in queues
        ]
        body["segmentFilters"] = [{"type": "or", "predicates": predicates}]
    return body
