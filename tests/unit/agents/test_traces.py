"""Tests of an event's trace on its whole way: from its receipt through all topics to the bus, or to its failure."""

from pathlib import Path
from unittest.mock import AsyncMock

import orjson
import pytest

from agents.failures import FailureMirror
from agents.process import Processing
from agents.sink import Publishing
from clients.aws.events.eventbridge import Accepted, RefusedEntry
from processors.event.trace_context import begun, least_sampled, trace_header
from processors.routes.breaker import BreakerLimits
from processors.routes.route import compile_route
from processors.routes.routes import Routes, route_event
from settings import Settings
from streams.delivery.buffer import Batch
from streams.delivery.targets.entries import EntryBuilder
from streams.health import Health
from streams.routes.breaker import FailureBreaker
from streams.routes.folder import read_routes
from streams.sources.intake import Intake

ROUTES = Routes(compile_route(texts) for texts in read_routes(Path(__file__).parents[3] / "schemas"))
EXAMPLES = {one.name: one.event for one in ROUTES.get("interaction").texts.examples}
OTHERS = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RECEIVER = {"otel_exporter_otlp_endpoint": "http://127.0.0.1:4318"}


class Recorded:
    """Remembers spans, as `clients.otlp.Spans` is told of them."""

    are_wanted = True

    def __init__(self):
        self.spans = []

    def note(self, name, traceparent, began_ns, attributes, *, error=None):
        self.spans.append((name, traceparent, error))


class Mapping:
    async def apply(self, raws):
        return [route_event(ROUTES, raw, 900_000, lambda _: None) for raw in raws]


class Publisher:
    def __init__(self):
        self.entries, self.answer = [], Accepted("id")

    def submit(self, entry, key, heard):
        self.entries.append(entry)
        heard(self.answer)


class Queue:
    max_bytes = 1_000_000

    async def send(self, messages):
        return [None] * len(messages)


@pytest.fixture
def way(delivery, ledger, producer, counts, event):
    """Takes an event the whole way; gives headers by topic, the entries, and the spans."""

    async def go(body, *, share, answer=None):
        recorded, publisher, seen = Recorded(), Publisher(), {}
        publisher.answer = answer or publisher.answer
        settings = Settings(trace_events=share is not None, trace_sample=share or 0, **RECEIVER)
        traced = settings.sampled_from
        breaker = FailureBreaker(BreakerLimits(1.0, 1_000_000, 60.0), Health())

        async def queue():
            return Queue()

        async def bus():
            return publisher

        mirror = FailureMirror(queue, 1_000_000, counts, recorded)
        mapping = Mapping()
        process = Processing(
            lambda: mapping,
            breaker,
            delivery,
            lambda: ROUTES,
            AsyncMock(return_value=True),
            traced=traced,
            spans=recorded,
        )
        sink = Publishing(bus, delivery, EntryBuilder(lambda: ROUTES, "default"), spans=recorded)
        stages = {
            "genesys.raw": process.process,
            "genesys.validated": lambda batch: sink.publish(batch, lambda _: None),
            "genesys.failures": mirror.copy,
        }
        await Intake(settings, delivery, ledger, spans=recorded).ingest([orjson.dumps(body)])
        for topic, stage in stages.items():
            for one in [one for one in producer.taken if one.topic == topic]:
                seen[topic.removeprefix("genesys.")] = one.headers
                await stage(Batch(0, [event(one.value, one.headers, topic=topic, key=one.key)]))
        return seen, publisher.entries, recorded.spans

    return go


async def test_a_trace_that_is_begun_is_in_all_topics_and_on_the_entry(way):
    seen, (entry,), spans = await way(EXAMPLES["high-priority-call"], share=1)
    trace = begun(seen["raw"]["event-id"].decode(), least_sampled(1))
    assert [seen[topic]["traceparent"] for topic in ("raw", "validated")] == [trace, trace]
    assert entry.fields["TraceHeader"] == trace_header(trace)
    assert spans == [(name, trace, None) for name in ("receive", "process", "publish")]


async def test_the_trace_of_an_event_is_gone_on_with_though_none_is_begun(way):
    body = {**EXAMPLES["high-priority-call"], "traceparent": OTHERS.decode()}
    seen, (entry,), spans = await way(body, share=None)
    assert [seen[topic]["traceparent"] for topic in ("raw", "validated")] == [OTHERS, OTHERS]
    assert entry.fields["TraceHeader"] == trace_header(OTHERS)
    assert [name for name, *_ in spans] == ["receive", "process", "publish"]


async def test_a_failure_keeps_its_trace_and_its_spans_have_the_error(way):
    seen, entries, spans = await way(EXAMPLES["malformed-time"], share=1)
    assert entries == []
    assert seen["failures"]["traceparent"] == seen["raw"]["traceparent"]
    assert [(name, error) for name, _, error in spans] == [
        ("receive", None), ("process", "SchemaViolation"), ("mirror", None)
    ]  # fmt: skip


async def test_what_eventbridge_refuses_has_a_span_that_says_so(way):
    refused = RefusedEntry("MalformedDetail", "no", 0)
    _, _, spans = await way(EXAMPLES["high-priority-call"], share=1, answer=refused)
    assert [(name, error) for name, _, error in spans][-2:] == [("publish", "MalformedDetail"), ("mirror", None)]


async def test_a_trace_that_is_not_sampled_has_no_spans(way):
    seen, (entry,), spans = await way(EXAMPLES["high-priority-call"], share=0)
    assert seen["validated"]["traceparent"].endswith(b"-00")
    assert "Sampled" not in entry.fields["TraceHeader"]
    assert spans == []


async def test_no_trace_is_begun_where_nobody_asks_for_it(way):
    seen, (entry,), spans = await way(EXAMPLES["high-priority-call"], share=None)
    assert not any("traceparent" in headers for headers in seen.values())
    assert ("TraceHeader" in entry.fields, spans) == (False, [])


def test_without_a_receiver_none_is_sampled_though_all_are_begun():
    assert Settings(trace_sample=1).sampled_from == least_sampled(0)
    assert Settings(trace_sample=1, **RECEIVER).sampled_from == least_sampled(1)
