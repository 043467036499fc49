"""This module decides which frames go on: not twice, not unchanged, and with the queue's name."""

from __future__ import annotations

import orjson

from clients.genesys.queues import QueueNames
from clients.genesys.reader import Received
from clients.genesys.rest import GenesysRest
from processors.backfill import backfilled_moment
from processors.event import JsonObject, derive_event_id
from processors.lines import Line
from processors.notification import (
    SeenEvents,
    SeenStates,
    queue_id,
    read_frame,
    snapshot_key,
    snapshot_state,
    with_queue,
)


class Sieve:
    """Remembers event ids for `window` seconds and the last states of conversations, both bounded."""

    def __init__(self, rest: GenesysRest, names: QueueNames, *, window: float, drop_unchanged: bool) -> None:
        self._rest, self._names = rest, names
        self._drop_unchanged = drop_unchanged
        self._seen = SeenEvents(window)
        self._states = SeenStates()

    def remember(self, value: bytes, at_ms: int) -> None:
        """Know an event that an earlier owner of the part let through then: it does not go on again.

        `raw` is read one partition after another, so events may come in any order.
        """
        envelope = read_frame(value).envelope
        if envelope is None:
            return
        self._seen.is_new(derive_event_id(envelope), self._rest.clock.now())
        state = snapshot_state(envelope)
        if state is not None:
            self._states.recall(snapshot_key(envelope), state, backfilled_moment(envelope) or at_ms)

    async def past(self, envelope: JsonObject) -> Line | None:
        """A backfilled event that goes on; None when it is known."""
        if self._is_known(envelope):
            self._rest.observer.count("backfill_known")
            return None
        self._rest.observer.count("event_backfilled")
        return await self._named(orjson.dumps(envelope), envelope)

    async def live(self, item: Received) -> Line | None:
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
        now_ms = int(self._rest.clock.wall() * 1000)
        if state is None or self._states.is_change(snapshot_key(envelope), state, now_ms):
            return False
        if not self._drop_unchanged:
            return False
        self._rest.observer.count("frame_unchanged")
        return True

    def _is_known(self, envelope: JsonObject) -> bool:
        """Whether a backfilled snapshot was given before, or shows a state that was seen at its moment."""
        if not self._seen.is_new(derive_event_id(envelope), self._rest.clock.now()):
            return True
        state = snapshot_state(envelope)
        moment = backfilled_moment(envelope) or 0
        return state is not None and not self._states.is_unseen(snapshot_key(envelope), state, moment)

    async def _named(self, value: bytes, envelope: JsonObject) -> bytes:
        queue = queue_id(envelope)
        name = await self._names.name(queue) if queue is not None else None
        return value if queue is None or name is None else with_queue(value, envelope, queue, name)
