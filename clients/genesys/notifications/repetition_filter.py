"""This module decides which frames go on: not twice, not unchanged, and with the queue's name."""

from __future__ import annotations

import orjson

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.queues import QueueNames
from clients.genesys.rest.client import GenesysRest
from processors.event.identity import derive_event_id
from processors.event.lines import Line
from processors.event.strict_json import JsonObject
from processors.genesys.frames import came_again, queue_id, read_frame, snapshot_key, snapshot_state, with_queue
from processors.genesys.sightings import RETURN_MS, SeenEvents, SeenStates
from processors.genesys.snapshots import Snapshot, backfilled_moment


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
        self._is_new(envelope)
        state, moment = snapshot_state(envelope), backfilled_moment(envelope)
        if state is not None:
            self._states.recall(snapshot_key(envelope), state, moment or at_ms, told=moment is not None)

    async def past(self, told: Snapshot) -> Line | None:
        """A backfilled event that goes on; None when it is known."""
        envelope = told.envelope
        if self._is_known(told):
            self._rest.observer.count("backfill_known")
            return None
        self._rest.observer.count("event_backfilled")
        return await self._named(orjson.dumps(envelope), envelope)

    async def live(self, item: ReceivedFrame) -> Line | None:
        """What of a frame goes on; None when nothing does."""
        envelope = item.frame.envelope
        if item.frame.kind == "malformed" or envelope is None or not isinstance(item.value, bytes):
            return item.value
        if item.frame.kind in ("reply", "notice"):
            self._rest.observer.count("frame_dropped")
            return None
        if item.frame.kind != "event":
            return None
        return await self._event(item.value, envelope, item.at_ms)

    async def _event(self, value: bytes, envelope: JsonObject, at_ms: int) -> Line | None:
        is_new = self._is_new(envelope)
        key, state = snapshot_key(envelope), snapshot_state(envelope)
        left_ms = None if state is None else self._states.left_at(key, state)
        if left_ms is not None and (is_new or at_ms - left_ms > RETURN_MS):
            value, envelope = came_again(value, envelope, at_ms)
            is_new = self._is_new(envelope)
        if not is_new:  # from the channel beside, or sent twice
            self._rest.observer.count("frame_duplicate")
            return None
        is_change = state is None or self._states.is_change(key, state, at_ms)
        if not is_change and self._drop_unchanged:
            self._rest.observer.count("frame_unchanged")
            return None
        return await self._named(value, envelope)

    def _is_new(self, envelope: JsonObject) -> bool:
        return self._seen.is_new(derive_event_id(envelope), self._rest.clock.now())

    def _is_known(self, told: Snapshot) -> bool:
        """Whether a backfilled snapshot was given before, or shows a state that was seen at its moment."""
        if not self._is_new(told.envelope):
            return True
        key, state = snapshot_key(told.envelope), snapshot_state(told.envelope)
        return state is not None and not self._states.is_unseen(key, state, told.moment_ms, told.until_ms)

    async def _named(self, value: bytes, envelope: JsonObject) -> bytes:
        queue = queue_id(envelope)
        name = await self._names.name(queue) if queue is not None else None
        return value if queue is None or name is None else with_queue(value, envelope, queue, name)
