"""This module is the sink stage: validated → EventBridge bus | failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from clients.aws.events.bus_lane import Judged, Pending
from clients.aws.events.eventbridge import Accepted
from clients.otlp import Spans
from processors.delivery.custom_bus import custom_bus, system_metadata
from processors.delivery.entries import Entry, entry
from processors.delivery.publications import Publications
from processors.delivery.redriven_outputs import RedrivenOutputs
from processors.event import trace_context
from processors.event.errors import MalformedEventError
from processors.event.headers import Meta
from processors.event.identity import derive_event_id
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.entry_limits import MAX_ENTRY_BYTES
from processors.routes.outcome import Failed
from processors.routes.routes import Routes
from processors.routes.target import Offload
from streams.app import app
from streams.delivery.event import Event, key_of, meta_of
from streams.delivery.lane import Batch
from streams.delivery.result import BatchResult, Delivery
from streams.delivery.stage import Ended, Stage
from streams.delivery.targets.ends import End, add_end
from streams.delivery.targets.offload import ClaimChecks

#: An event, its headers, and its end; None for one that is left to whoever has its partition next.
Answered = tuple[Event, Meta, End | None]


class Answers:
    """What came of events, gathered and taken all at once; `asyncio.Queue` costs a turn for each."""

    def __init__(self) -> None:
        self._answers: list[Answered] = []
        self._filled = asyncio.Event()

    def put(self, answer: Answered) -> None:
        """Add one."""
        self._answers.append(answer)
        self._filled.set()

    async def all(self) -> list[Answered]:
        """Everything there is by now; waits for the first."""
        await self._filled.wait()
        found, self._answers = self._answers, []
        self._filled.clear()
        return found


class Publishes(Protocol):
    """A publisher."""

    def submit(self, entry: Entry, key: str, heard: Callable[[Judged | None], None]) -> Pending:
        """Publish an entry, after the others of its key; `heard` is told its end, or None when it was withdrawn."""
        ...

    def withdraw(self, all_pending: Iterable[Pending]) -> None:
        """Send these no more."""
        ...


class Publishing:
    """Puts events on the bus of their route, by default on `eventbus`. `open_bus` gives what publishes, once."""

    def __init__(
        self,
        open_bus: Callable[[], Awaitable[Publishes]],
        delivery: Delivery,
        routes: Callable[[], Routes],
        eventbus: str,
        publications: Publications | None = None,
        window_s: float = 0.0,
        *,
        claim_checks: ClaimChecks | None = None,
        max_bytes: int = MAX_ENTRY_BYTES,
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans or Spans()
        self._claim_checks, self._max_bytes = claim_checks, max_bytes
        self._open_bus, self._delivery, self._routes, self._eventbus = open_bus, delivery, routes, eventbus
        self._publications, self._redriven = publications or Publications(), RedrivenOutputs(window_s)
        self._publisher: Publishes | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> Publishes:
        """The publisher; opened when first asked for, as its client belongs to the app's event loop."""
        async with self._opening:
            if self._publisher is None:
                self._publisher = await self._open_bus()
            return self._publisher

    async def publish(self, batch: Batch, ended: Ended) -> None:
        """Work one batch off: `ended` hears of events as soon as each is on the bus, or its failure record in Kafka."""
        publisher, answers = await self.open(), Answers()
        if batch.is_left:
            return
        submitted: list[Pending] = []
        batch.when_left(lambda: publisher.withdraw(submitted))
        for event in batch:
            self._submit(publisher, batch, event, submitted.append, answers.put)
        unanswered = len(batch)
        while unanswered:
            answered = await answers.all()
            unanswered -= len(answered)
            result, done = BatchResult(), []
            for event, meta, answer in answered:
                if answer is not None:
                    add_end(result, answer, event, meta, self._delivery.failures)
                    done.append(event)
            if done:
                await self._delivery.put(result)
                ended(done)

    def _submit(
        self,
        publisher: Publishes,
        batch: Batch,
        event: Event,
        submitted: Callable[[Pending], None],
        answered: Callable[[Answered], None],
    ) -> None:
        """Publish one event; what is answered is when it was accepted (epoch ms), or why it cannot be."""
        meta = meta_of(event)
        mapped: JsonObject | None = None
        try:
            mapped = parse_object(event.value or b"")
            key = key_of(event) or str(mapped.get("id"))
            sendable = self._entry(mapped, meta, key)
        except (MalformedEventError, KeyError, TypeError, ValueError) as error:
            # Only somebody else's record gets here: what the process stage writes has been checked.
            words = f"not a mapped event: {error}"[:500]
            answered((event, meta, Failed("publish", "MalformedEntry", words, route=meta.route, transformed=mapped)))
            return

        mark = self._redriven.mark(meta, event.value)
        if self._redriven.knows(mark):
            answered((event, meta, "repeated"))
            return

        began_ns = time.time_ns() if self._spans.are_wanted else 0

        def heard(answer: Judged | None) -> None:
            if answer is None:
                answered((event, meta, None))
                return
            self._note(answer, event, meta)
            if began_ns and trace_context.is_sampled(meta.traceparent):
                self._note_span(began_ns, answer, meta)
            if isinstance(answer, Accepted):
                self._redriven.accepted(mark, time.time())
                answered((event, meta, int(time.time() * 1000)))
            else:
                words = answer.code, answer.message
                answered((event, meta, Failed("publish", *words, (), meta.route, mapped, answer.attempts)))

        checks, offload = self._claim_checks, self._offload(meta, sendable)
        if checks is None or not (offload or checks.holds(key)):
            submitted(publisher.submit(sendable, key, heard))
            return
        large = mapped

        async def behind() -> None:
            small = await self._claimed(checks, offload, large, meta, key) if offload else sendable
            if batch.is_left:
                answered((event, meta, None))
            else:
                submitted(publisher.submit(small, key, heard))

        checks.put(key, behind)

    def _offload(self, meta: Meta, sendable: Entry) -> Offload | None:
        """Where the event's detail goes, if it is too large for the bus and its route says so."""
        route = self._routes().get(meta.route)
        offload = route.texts.offload if route else None
        return offload if offload and sendable.size > min(offload.over or self._max_bytes, self._max_bytes) else None

    async def _claimed(self, checks: ClaimChecks, offload: Offload, mapped: JsonObject, meta: Meta, key: str) -> Entry:
        place = offload.key(str(meta.route), meta.event_id or derive_event_id(mapped))
        small, body = offload.claim(mapped, place)
        await checks.store(offload.bucket, place, body)
        return self._entry(small, meta, key)

    def _note(self, answer: Judged, event: Event, meta: Meta) -> None:
        """Remember what EventBridge answered, for who looks the event up."""
        entry_id = answer.id if isinstance(answer, Accepted) else ""
        place = event.partition, event.offset
        self._publications.note(entry_id, meta.event_id, place, int(time.time() * 1000), answer.codes)

    def _note_span(self, began_ns: int, answer: Judged, meta: Meta) -> None:
        """A span of the event on its way to the bus."""
        entry_id, error = (answer.id, None) if isinstance(answer, Accepted) else (None, answer.code)
        details = {"event.id": meta.event_id, "route": meta.route, "retries": answer.codes, "eventbridge.id": entry_id}
        self._spans.note("publish", meta.traceparent, began_ns, details, error=error)

    def _entry(self, mapped: JsonObject, meta: Meta, key: str) -> Entry:
        route = self._routes().get(meta.route)
        named = route.texts.event_bus if route else None
        bus = meta.event_bus or named or self._eventbus
        known = meta.event_id or mapped.get("id")
        metadata = system_metadata(key, known, meta.route, meta.replayed) if custom_bus(bus) else None
        return entry(mapped, bus, metadata, trace_context.trace_header(meta.traceparent))


publishing = Publishing(
    app.buses.open,
    app.delivery,
    app.routes_in_use,
    app.settings.eventbus_name,
    app.publications,
    app.settings.deduplication_window,
    claim_checks=app.claim_checks,
    max_bytes=app.settings.eventbridge_request_bytes,
    spans=app.spans,
)


# Each event by itself: one in a long back-off holds up no other, whose acks would wait, and which a crash would repeat.
@app.stage(
    Stage("sink", max_events=500, linger_s=0.0, waits_for=("kafka", "eventbridge", "offload"), alone=True),
    app.flow.validated,
)
async def sink(batch: Batch, ended: Ended) -> None:
    """validated → EventBridge bus | failures"""
    await publishing.publish(batch, ended)


if "sink" in app.settings.worker_roles:

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def open_with_the_worker() -> None:
        """Open the client with the worker: it takes a second, which the first event need not wait for."""
        await publishing.open()
