"""This module decides which frames go on: not twice, not unchanged, with the steps they tell and the queue's name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import orjson

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.queues import QueueNames
from clients.genesys.rest.client import GenesysRest
from processors.event.identity import derive_event_id
from processors.event.intake import Redact
from processors.event.lines import ParsedLine, SourceLine
from processors.event.strict_json import JsonObject
from processors.genesys.analytics.snapshots import Snapshot, backfilled_moment
from processors.genesys.frames import came_again, changed_at, queue_id, with_queue
from processors.genesys.legs import Leg, earlier_topics, legs
from processors.genesys.seen_events import SeenEvents, SeenTimes, SeenValues
from processors.genesys.seen_states import SeenStates
from processors.genesys.states import exact, is_snapshot, shown_state, snapshot_key, state_of
from processors.genesys.steps.derive import Step
from processors.genesys.steps.memory import StepMemory
from processors.genesys.times import is_timeless, stated_times

SNAPSHOTS, STEPS = "snapshots", "steps"

#: What another part told longer ago than this is not told again. Less than DEDUPLICATION_WINDOW, which drops the rest.
TOLD_MS = 300_000


class RepetitionFilter:
    """Remembers event ids for `window` seconds, the last states of conversations and values of topics, all bounded.

    `events`: which of snapshots and steps go on. Steps are derived from what `redact` leaves of a snapshot.
    `covered_ms`: an earlier owner of the part has let through what was before. `elsewhere`: topics of other parts.
    """

    def __init__(
        self,
        rest: GenesysRest,
        names: QueueNames,
        *,
        window: float,
        drop_unchanged: bool,
        events: Collection[str] = (SNAPSHOTS, STEPS),
        redact: Redact | None = None,
        covered_ms: int | None = None,
        elsewhere: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._rest, self._names = rest, names
        self._drop_unchanged, self._events, self._redact = drop_unchanged, events, redact
        self._covered_ms, self._elsewhere = covered_ms, elsewhere
        self._seen, self._values, self._times = SeenEvents(window), SeenValues(), SeenTimes()
        self._states, self._steps = SeenStates(), StepMemory(covered_ms=covered_ms)

    def remember(self, envelope: JsonObject, at_ms: int) -> None:
        """Know an event that an earlier owner of the part let through then: it does not go on again.

        `raw` is read one partition after another, so events may come in any order.
        """
        self._is_new(derive_event_id(envelope))
        moment = backfilled_moment(envelope)
        if envelope.get("derived") is True:
            self._steps.know(envelope)
        elif (state := state_of(envelope)) is not None:
            self._states.recall(snapshot_key(envelope), state, moment or at_ms, from_query=moment is not None)
            if moment is None:
                self._times.adds_none(snapshot_key(envelope), stated_times(envelope["eventBody"]))
            self._take_steps(envelope, moment or at_ms)  # those that it tells are in `raw` before it
        elif is_timeless(envelope):
            self._values.is_new(str(envelope["topicName"]), _fact(envelope), "", at_ms)

    async def past(self, snapshot: Snapshot) -> list[SourceLine]:
        """What of a backfilled snapshot goes on: of one that is known, the end of a hold that nobody heard of alone."""
        envelope, event_id = snapshot.envelope, derive_event_id(snapshot.envelope)
        is_known = self._is_known(snapshot, event_id)
        steps = self._take_steps(envelope, snapshot.moment_ms, snapshot.since_ms, is_known=is_known)
        if is_known:
            self._rest.observer.count("backfill_known")
        value = None if is_known else orjson.dumps(envelope)
        return await self._gone_on(value, envelope, event_id, steps, is_backfilled=True)

    async def live(self, item: ReceivedFrame) -> list[SourceLine]:
        """What goes on of a frame."""
        envelope = item.frame.envelope
        if item.frame.kind == "malformed" or envelope is None or not isinstance(item.value, bytes):
            return [item.value]
        if item.frame.kind in ("reply", "notice"):
            self._rest.observer.count("frame_dropped")
            return []
        if item.frame.kind != "event":
            return []
        if is_snapshot(envelope):
            return await self._snapshot(item.value, envelope, item)
        return await self._other(item.value, envelope, item)

    async def _snapshot(self, value: bytes, envelope: JsonObject, item: ReceivedFrame) -> list[SourceLine]:
        event_id, found = derive_event_id(envelope), legs(envelope)
        key, state, at_ms, channel = snapshot_key(envelope), shown_state(envelope, found), item.at_ms, item.channel_id
        is_new = self._is_new(event_id)
        if self._states.came_back(key, state, at_ms, is_new=is_new, channel=channel):
            value, envelope = came_again(value, envelope, at_ms)
            event_id = derive_event_id(envelope)
            is_new = self._is_new(event_id)
        if not is_new:  # from the channel beside, or sent twice
            self._rest.observer.count("frame_duplicate")
            return []
        is_change = self._states.is_change(key, state, at_ms, channel)
        if self._times.adds_none(key, stated_times(envelope["eventBody"])):
            value, envelope = changed_at(value, envelope, at_ms)
        steps = self._take_steps(envelope, at_ms, self._told_since(envelope, found, at_ms), found=found)
        if not is_change and self._drop_unchanged:
            self._rest.observer.count("frame_unchanged")
            return await self._lines(steps, envelope)
        return await self._gone_on(value, envelope, event_id, steps)

    async def _other(self, value: bytes, envelope: JsonObject, item: ReceivedFrame) -> list[SourceLine]:
        """What is no snapshot; where its body holds no time, the time of receipt makes it another event each time."""
        if is_timeless(envelope):
            topic = item.frame.topic
            is_first = self._covered_ms is None and not self._values.knows(topic)
            is_new = self._values.is_new(topic, _fact(envelope), item.channel_id, item.at_ms)
            if is_new and not is_first:
                value, envelope = came_again(value, envelope, item.at_ms)
            event_id = derive_event_id(envelope)
        else:
            event_id = derive_event_id(envelope)
            is_new = self._is_new(event_id)
        if not is_new:
            self._rest.observer.count("frame_duplicate")
            return []
        return [await self._named(value, envelope, event_id)]

    def _told_since(self, envelope: JsonObject, found: Sequence[Leg], at_ms: int) -> int | None:
        """From when on (epoch ms) steps of a conversation are told that is new here; None when all are.

        Those before were told by another part that has had it for so long, and nobody would know their repetition.
        """
        if STEPS not in self._events or self._steps.knows(envelope):
            return None
        before_ms, topics = at_ms - TOLD_MS, self._elsewhere()
        is_older = any(topic in topics for topic in earlier_topics(envelope, found, before_ms))
        return max(before_ms, self._covered_ms or 0) if is_older else None

    def _take_steps(
        self,
        envelope: JsonObject,
        at_ms: int,
        since_ms: int | None = None,
        *,
        is_known: bool = False,
        found: Sequence[Leg] | None = None,
    ) -> list[Step]:
        if STEPS not in self._events:
            return []
        if self._redact is not None:
            envelope, found = self._redact(envelope), None
        return self._steps.take(envelope, at_ms, since_ms, is_known=is_known, found=found)

    async def _gone_on(
        self,
        value: bytes | None,
        envelope: JsonObject,
        event_id: str,
        steps: Iterable[Step],
        *,
        is_backfilled: bool = False,
    ) -> list[SourceLine]:
        """Steps before their snapshot, where it goes on: where `raw` has a snapshot, it has its steps."""
        lines = await self._lines(steps, envelope)
        if value is not None and SNAPSHOTS in self._events:
            lines.append(await self._named(value, envelope, event_id))
        if is_backfilled:
            self._rest.observer.count("event_backfilled", len(lines))
        return lines

    async def _lines(self, steps: Iterable[Step], source: JsonObject) -> list[SourceLine]:
        lines: list[SourceLine] = []
        for step in steps:
            envelope = step.envelope(source)
            if self._is_new(step.id):
                self._rest.observer.count("step_derived")
                lines.append(await self._named(orjson.dumps(envelope), envelope, step.id))
        return lines

    def _is_new(self, event_id: str) -> bool:
        return self._seen.is_new(event_id, self._rest.clock.now())

    def _is_known(self, snapshot: Snapshot, event_id: str) -> bool:
        """Whether a backfilled snapshot was given before, or tells a change that was seen."""
        if event_id in self._seen:
            return True
        state = state_of(snapshot.envelope)
        if state is not None:
            change = snapshot.change or exact(state, snapshot.moment_ms, snapshot.until_ms)
            if not self._states.is_unseen(snapshot_key(snapshot.envelope), state, change):
                return True  # by what is known of this gap; of another, in which it lies, more may be
        return not self._is_new(event_id)

    async def _named(self, value: bytes, envelope: JsonObject, event_id: str) -> ParsedLine:
        queue = queue_id(envelope)
        name = await self._names.name(queue) if queue is not None else None
        if queue is not None and name is not None:
            value, envelope = with_queue(value, envelope, queue, name)
        return ParsedLine(value, envelope, event_id)


def _fact(envelope: JsonObject) -> str:
    """What is the same for equal bodies, whenever they came."""
    return derive_event_id({name: value for name, value in envelope.items() if name != "again"})
