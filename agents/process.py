"""This module is the process stage: raw → validated | failures, or filtered and counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from clients.otlp import Spans
from processors.event import trace_context
from processors.event.headers import ENVELOPE_BYTES, Meta
from processors.metrics.arrivals import count_arrival
from processors.routes.routes import Encoded, Raw, Routed, Routes
from streams.app import app
from streams.delivery.buffer import Batch
from streams.delivery.event import Event, meta_of, origin_of
from streams.delivery.record import Record, record
from streams.delivery.result import BatchResult, Delivery
from streams.delivery.stage import LeftError, Stage
from streams.exit import die
from streams.routes.breaker import FailureBreaker
from streams.routes.sandbox.child_process import SandboxError


class RouteMapper(Protocol):
    """Answers what the routes make of events, in order."""

    async def apply(self, raws: Sequence[Raw]) -> list[Routed]:
        """What became of each event."""
        ...


class Processing:
    """Maps batches and sends what comes of them, in the order in which they came.

    `mapping` gives what maps by the routes that are in use, `routes` those routes. `may_send` waits until a batch is
    surely this worker's to send, and gives whether it ever will be. `traced`: from where on traces are sampled that are
    begun for events without one (None: none).
    """

    def __init__(
        self,
        mapping: Callable[[], RouteMapper],
        breaker: FailureBreaker,
        delivery: Delivery,
        routes: Callable[[], Routes],
        may_send: Callable[[Batch], Awaitable[bool]],
        *,
        traced: str | None = None,
        spans: Spans | None = None,
    ) -> None:
        self._traced, self._spans = traced, spans or Spans()
        self._mapping, self._breaker, self._delivery = mapping, breaker, delivery
        self._routes, self._may_send = routes, may_send
        #: Who sends; a batch gets here in the order in which it was mapped, so that the order of events holds.
        self._sending = asyncio.Lock()

    async def process(self, batch: Batch) -> None:
        """Process one batch. Raises LeftError when it is left to somebody else: an operator may let it wait long."""
        began_ns = time.time_ns()
        metas = [meta_of(event) for event in batch]
        raws = [
            Raw(event.value, meta.event_id, received_at=_received_at(event, meta))
            for event, meta in zip(batch, metas, strict=True)
        ]
        mapping = self._mapping()
        answers = await mapping.apply(raws)
        async with self._sending:
            while mapping is not self._mapping() or not await self._breaker.admit(answers):
                mapping = self._mapping()  # the routes have changed
                answers = await mapping.apply(raws)
            if not await self._may_send(batch):
                raise LeftError
            await self._delivery.put(self._result(batch, metas, answers))
        if self._spans.are_wanted:
            self._note_spans(began_ns, batch, metas, answers)

    def _result(self, batch: Batch, metas: Sequence[Meta], answers: Sequence[Routed]) -> BatchResult:
        result = BatchResult()
        for event, meta, answer in zip(batch, metas, answers, strict=True):
            self._add(result, event, meta, answer)
        return result

    def _add(self, result: BatchResult, event: Event, meta: Meta, answer: Routed) -> None:
        """Add what comes of one event; nothing is sent when no route takes it."""
        repeated = 0
        if not answer.outcomes:
            result.counts.add("filtered")
        for outcome in answer.outcomes:
            if not isinstance(outcome, Encoded):
                result.counts.fail(outcome.stage, outcome.error)
                result.counts.route(outcome.route, "failed")
                known = self._known(event, meta, answer)
                result.records.append(self._delivery.failures.report(outcome, event.value, answer.key, known))
            elif self._is_new(result, answer.event_id, outcome.route, event) or _was_refused(meta, outcome.route):
                result.counts.add("validated")
                result.counts.route(outcome.route, "mapped")
                result.records.append(self._validated(outcome, event, meta, answer))
            else:
                result.counts.add("repeated")
                result.counts.route(outcome.route, "repeated")
                repeated += 1
        ways = max(1, len(answer.outcomes))
        count_arrival(result.counts, meta.command, was_open=ways - repeated, others=repeated)

    def _known(
        self,
        event: Event,
        meta: Meta,
        answer: Routed,
        route: str | None = None,
        event_bus: str | None = None,
        original: bytes | None = None,
    ) -> Meta:
        """What is known of an event, for what comes of it."""
        return Meta(
            event_id=answer.event_id or meta.event_id,
            route=route,
            received_at=_received_at(event, meta),
            origin=origin_of(event),
            original=original,
            replayed=meta.replayed,
            event_bus=event_bus,
            traceparent=self._trace(meta, answer),
        )

    def _trace(self, meta: Meta, answer: Routed) -> bytes | None:
        """The trace that the event is of: its own, or one that is begun for it."""
        if meta.traceparent is not None or self._traced is None:
            return meta.traceparent
        return trace_context.begun(answer.event_id or meta.event_id, self._traced)

    def _note_spans(self, began_ns: int, batch: Batch, metas: Sequence[Meta], answers: Sequence[Routed]) -> None:
        """A span for each event of the batch whose trace is sampled; each took as long as the batch."""
        for event, meta, answer in zip(batch, metas, answers, strict=True):
            if trace_context.is_sampled(trace := self._trace(meta, answer)):
                failed = [one for one in answer.outcomes if not isinstance(one, Encoded)]
                self._spans.note(
                    "process",
                    trace,
                    began_ns,
                    {"origin": str(origin_of(event)), "event.id": answer.event_id or meta.event_id}
                    | {"routes": [one.route or "" for one in answer.outcomes]},
                    error=failed[0].error if failed else None,
                )

    def _is_new(self, result: BatchResult, event_id: str | None, route: str, event: Event) -> bool:
        """Whether an output is no repetition; if so it is this batch's."""
        mark = self._delivery.deduplication.mark(event_id or "", route)
        if mark is None:
            return True
        if mark in result.marks or self._delivery.deduplication.knows(mark):
            return False
        result.marks[mark] = event.partition
        return True

    def _validated(self, encoded: Encoded, event: Event, meta: Meta, answer: Routed) -> Record:
        route = self._routes().get(encoded.route)
        room = self._delivery.failures.max_bytes - ENVELOPE_BYTES - len(encoded.value)
        original = event.value if event.value and len(event.value) <= room else None
        bus = route.texts.event_bus if route else None
        known = self._known(event, meta, answer, encoded.route, bus, original)
        return record(self._delivery.topics.validated, answer.key or "", encoded.value, known)


def _received_at(event: Event, meta: Meta) -> int:
    """When the event came (epoch ms): as its source said, else when Kafka got it."""
    return meta.received_at or event.timestamp


def _was_refused(meta: Meta, route: str) -> bool:
    """Whether the event is redriven because EventBridge refused this output of it, which was made before."""
    return meta.replayed is not None and meta.route == route


processing = Processing(
    lambda: app.sandboxes.sandbox("process"),
    app.breaker,
    app.delivery,
    app.routes_in_use,
    app.membership.may_send,
    traced=app.settings.sampled_from,
    spans=app.spans,
)


# Two batches: one is mapped, in a process of its own, while the one before is sent.
@app.stage(
    Stage(
        "process",
        max_events=500,
        linger_s=0.02,
        waits_for=("kafka", "routes", "mapping (process)"),
        open_batches=2,
    ),
    app.flow.raw,
)
async def process(batch: Batch) -> None:
    """raw → validated | failures"""
    await processing.process(batch)


if "process" in app.settings.worker_roles:

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def start_mapping() -> None:
        """Start the mapping process with the worker, so that the first event does not wait for it."""
        try:
            await app.sandboxes.sandbox("process").start()
        except SandboxError as error:
            die("the start of the mapping process", error)
