"""This module is the sink stage: validated → EventBridge bus | failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from clients.aws.events.bus_lane import Judged, Pending
from clients.aws.events.eventbridge import Accepted
from clients.otlp import Spans
from processors.delivery.entries import Entry
from processors.delivery.publications import Publications
from processors.delivery.redriven_outputs import RedrivenOutputs
from processors.event import trace_context
from processors.event.errors import MalformedEventError
from processors.event.headers import Meta
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.outcome import Failed
from processors.routes.target import Offload
from streams.app import app
from streams.delivery.buffer import Batch
from streams.delivery.event import Event, key_of, meta_of
from streams.delivery.result import BatchResult, Delivery
from streams.delivery.stage import Ended, Stage
from streams.delivery.targets.entries import EntryBuilder
from streams.delivery.targets.event_end import End, add_end
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


class EntryPublisher(Protocol):
    """A publisher."""

    def submit(self, entry: Entry, key: str, heard: Callable[[Judged | None], None]) -> Pending:
        """Publish an entry, after the others of its key; `heard` is told its end, or None when it was withdrawn."""
        ...

    def withdraw(self, all_pending: Iterable[Pending]) -> None:
        """Send these no more."""
        ...


class BatchRun(NamedTuple):
    """A batch that is processed: where its answers come together, and what of it was handed to the publisher."""

    publisher: EntryPublisher
    batch: Batch
    answers: Answers
    submitted: list[Pending]


class OutgoingEvent(NamedTuple):
    """An event on its way to a bus. `mark` names what a redrive wrote; `began_ns` is 0 where no span is wanted."""

    event: Event
    meta: Meta
    key: str
    mapped: JsonObject
    entry: Entry
    mark: bytes | None
    began_ns: int


class Publishing:
    """Puts events on the bus of their route. `open_bus` gives what publishes, once."""

    def __init__(
        self,
        open_bus: Callable[[], Awaitable[EntryPublisher]],
        delivery: Delivery,
        entries: EntryBuilder,
        publications: Publications | None = None,
        window_s: float = 0.0,
        *,
        claim_checks: ClaimChecks | None = None,
        spans: Spans | None = None,
    ) -> None:
        self._spans = spans or Spans()
        self._open_bus, self._delivery, self._entries, self._claim_checks = open_bus, delivery, entries, claim_checks
        self._publications, self._redriven = publications or Publications(), RedrivenOutputs(window_s)
        self._publisher: EntryPublisher | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> EntryPublisher:
        """The publisher; opened when first asked for, as its client belongs to the app's event loop."""
        async with self._opening:
            if self._publisher is None:
                self._publisher = await self._open_bus()
            return self._publisher

    async def publish(self, batch: Batch, ended: Ended) -> None:
        """Process one batch: `ended` hears of events as soon as each is on the bus, or its failure record in Kafka."""
        publisher, submitted = await self.open(), list[Pending]()
        run = BatchRun(publisher, batch, Answers(), submitted)
        if batch.is_left:
            return
        batch.when_left(lambda: publisher.withdraw(submitted))  # by `run`, which has the batch, it would be a cycle
        for event in batch:
            self._submit(run, event)
        unanswered = len(batch)
        while unanswered:
            answered = await run.answers.all()
            unanswered -= len(answered)
            result, done = BatchResult(), []
            for event, meta, answer in answered:
                if answer is not None:
                    add_end(result, answer, event, meta, self._delivery.failures)
                    done.append(event)
            if done:
                await self._delivery.put(result)
                ended(done)

    def _submit(self, run: BatchRun, event: Event) -> None:
        """Publish one event; what is answered is when it was accepted (epoch ms), or why it cannot be."""
        meta = meta_of(event)
        mapped: JsonObject | None = None
        try:
            mapped = parse_object(event.value or b"")
            key = key_of(event) or str(mapped.get("id"))
            sendable = self._entries.entry(mapped, meta, key)
        except (MalformedEventError, KeyError, TypeError, ValueError) as error:
            # Only somebody else's record gets here: what the process stage writes has been checked.
            words = f"not a mapped event: {error}"[:500]
            failed = Failed("publish", "MalformedEntry", words, route=meta.route, transformed=mapped)
            run.answers.put((event, meta, failed))
            return
        mark = self._redriven.mark(meta, event.value)
        if self._redriven.knows(mark):
            run.answers.put((event, meta, "repeated"))
            return
        began_ns = time.time_ns() if self._spans.are_wanted else 0
        outgoing = OutgoingEvent(event, meta, key, mapped, sendable, mark, began_ns)
        checks, offload = self._claim_checks, self._entries.offload(meta, sendable)
        if checks is not None and (offload or checks.holds(key)):
            checks.put(key, partial(self._send_in_turn, run, outgoing, checks, offload))
        else:
            self._send(run, outgoing, sendable)

    def _send(self, run: BatchRun, outgoing: OutgoingEvent, sendable: Entry) -> None:
        heard = partial(self._heard, run.answers, outgoing)
        run.submitted.append(run.publisher.submit(sendable, outgoing.key, heard))

    async def _send_in_turn(
        self, run: BatchRun, outgoing: OutgoingEvent, checks: ClaimChecks, offload: Offload | None
    ) -> None:
        """Send it once those before it of its key are sent; with a claim check for its detail where it is too large."""
        meta, sendable = outgoing.meta, outgoing.entry
        if offload:
            sendable = await self._entries.claimed(checks, offload, outgoing.mapped, meta, outgoing.key)
        if run.batch.is_left:
            run.answers.put((outgoing.event, meta, None))
        else:
            self._send(run, outgoing, sendable)

    def _heard(self, answers: Answers, outgoing: OutgoingEvent, answer: Judged | None) -> None:
        """Note what came of an event; None when it was withdrawn."""
        event, meta = outgoing.event, outgoing.meta
        if answer is None:
            answers.put((event, meta, None))
            return
        self._note(answer, event, meta)
        if outgoing.began_ns and trace_context.is_sampled(meta.traceparent):
            self._note_span(outgoing.began_ns, answer, meta)
        if isinstance(answer, Accepted):
            self._redriven.accepted(outgoing.mark, time.time())
            answers.put((event, meta, int(time.time() * 1000)))
        else:
            words = answer.code, answer.message
            answers.put((event, meta, Failed("publish", *words, (), meta.route, outgoing.mapped, answer.attempts)))

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


publishing = Publishing(
    app.buses.open,
    app.delivery,
    EntryBuilder(app.routes_in_use, app.settings.eventbus_name, app.settings.eventbridge_request_bytes),
    app.publications,
    app.settings.deduplication_window,
    claim_checks=app.claim_checks,
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
