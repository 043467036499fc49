"""Tests of the ledger's law over the stages: whatever brings an event, each of its ways begins once and ends once."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock

import orjson
import pytest

from agents.process import Processing
from agents.sink import Publishing
from clients.aws.events.eventbridge import Accepted, RefusedEntry
from processors.event import headers
from processors.metrics.counts import add, empty
from processors.metrics.report import law
from processors.replay.redrive import RedriveTargets, redrive_of
from processors.routes.breaker import BreakerLimits
from processors.routes.route import compile_route
from processors.routes.routes import Routes, route_event
from streams.delivery.buffer import Batch
from streams.delivery.targets.entries import EntryBuilder
from streams.health import Health
from streams.routes.breaker import FailureBreaker
from streams.routes.folder import read_routes

ONE = next(
    compile_route(texts) for texts in read_routes(Path(__file__).parents[3] / "schemas") if texts.name == "interaction"
)
TWO = replace(ONE, texts=replace(ONE.texts, name="second"))
EVENTS = {example.name: example.event for example in ONE.texts.examples}
CALL, EMAIL, LATE = (EVENTS[name] for name in ("high-priority-call", "ordinary-email", "malformed-time"))
TOPICS = RedriveTargets("genesys.raw", "genesys.validated", 1_000_000)


class Pipeline:
    """Both stages in one process; `refuses` is what EventBridge says of every entry."""

    def __init__(self, delivery, producer, counts, event):
        self.routes, self.refuses = Routes([ONE]), None
        self._producer, self._counts, self._event = producer, counts, event
        self._sums, self._offset, self.failures = empty(), 0, []
        breaker = FailureBreaker(BreakerLimits(1.0, 1_000_000, 60.0), Health())
        self._process = Processing(lambda: self, breaker, delivery, lambda: self.routes, AsyncMock(return_value=True))
        self._sink = Publishing(self._open, delivery, EntryBuilder(lambda: self.routes, "default"))

    async def apply(self, raws):
        return [route_event(self.routes, raw, 900_000, lambda _: None) for raw in raws]

    def submit(self, entry, key, heard):
        heard(self.refuses or Accepted("id"))

    async def _open(self):
        return self

    async def come(self, topic, value, told=None):
        """Let one record come to a topic, and follow what comes of it to its end."""
        self._offset += 1
        before = len(self._producer.taken)
        record = self._event(value, told or {}, offset=self._offset, topic=f"genesys.{topic}")
        if topic == "raw":
            await self._process.process([record])
        else:
            await self._sink.publish(Batch(0, [record]), lambda done: None)
        for record in self._producer.taken[before:]:
            if record.topic == "genesys.validated":
                await self.come("validated", record.value, record.headers)
            elif record.topic == "genesys.failures" and record not in self.failures:
                self.failures.append(record)

    async def redrive(self):
        """As the command does, each record once."""
        failures, self.failures = self.failures, []
        for record in failures:
            told = headers.read(record.headers)
            back = redrive_of(orjson.loads(record.value), told, record.key, "redrive-1", TOPICS)
            await self.come(back.topic, back.value, dict(back.headers))

    def law(self):
        """The parts now; checks that they balance."""
        self._sums = add(self._sums, self._counts.drain() or empty())
        parts = law(self._sums["counts"])
        assert (parts["inFlight"], parts["sentAgain"]) == (0, 0), self._sums["counts"]
        return {name: number for name, number in parts.items() if number}

    def counted(self, name):
        return self._sums["counts"].get(name, 0)


@pytest.fixture
def pipeline(delivery, producer, counts, event):
    return Pipeline(delivery, producer, counts, event)


async def test_every_end_is_counted_once(pipeline):
    for one in (CALL, EMAIL, LATE, CALL):
        await pipeline.come("raw", orjson.dumps(one))
    assert pipeline.law() == {"raw": 4, "published": 1, "filtered": 1, "failed": 1, "repeated": 1}


async def test_an_event_that_two_routes_take_has_two_ways(pipeline):
    pipeline.routes = Routes([ONE, TWO])
    await pipeline.come("raw", orjson.dumps(CALL))
    await pipeline.come("raw", orjson.dumps(EMAIL))
    assert pipeline.law() == {"raw": 3, "published": 2, "filtered": 1}


async def test_a_refused_entry_is_open_until_it_is_redriven(pipeline):
    pipeline.refuses = RefusedEntry("MalformedDetail", "no", 0)
    await pipeline.come("raw", orjson.dumps(CALL))
    assert pipeline.law() == {"raw": 1, "failed": 1}
    await pipeline.redrive()
    assert pipeline.law() == {"raw": 1, "failed": 1}, "it failed again"
    pipeline.refuses = None
    await pipeline.redrive()
    assert pipeline.law() == {"raw": 1, "published": 1}
    assert pipeline.counted("redriven") == 2


async def test_a_redriven_event_of_two_routes_is_open_for_the_one_that_failed_it(pipeline):
    pipeline.routes = Routes([ONE, TWO])
    await pipeline.come("raw", orjson.dumps(LATE))
    assert pipeline.law() == {"raw": 2, "failed": 2}
    pipeline.failures.pop()  # `redrive` takes the event back once
    await pipeline.redrive()
    assert pipeline.law() == {"raw": 2, "failed": 2}


async def test_what_cannot_be_mapped_is_filtered_after_the_route_was_mended(pipeline):
    await pipeline.come("raw", orjson.dumps(LATE))
    pipeline.routes = Routes([])
    await pipeline.redrive()
    assert pipeline.law() == {"raw": 1, "filtered": 1}


@pytest.mark.parametrize(("run", "counter"), [("replay-1", "replayed"), ("backfill-1", "backfilled")])
async def test_what_a_command_brings_is_one_more_of_raw(pipeline, run, counter):
    await pipeline.come("raw", orjson.dumps(CALL))
    await pipeline.come("raw", orjson.dumps(CALL), {"replayed": run.encode()})
    assert pipeline.law() == {"raw": 2, "published": 1, "repeated": 1}
    assert pipeline.counted(counter) == 1


async def test_what_goes_straight_to_validated_begins_there(pipeline, producer):
    await pipeline.come("raw", orjson.dumps(CALL))
    made = producer.taken[0]
    await pipeline.come("validated", made.value, {**made.headers, "replayed": b"replay-1", "straight": b"1"})
    await pipeline.come("validated", b"somebody else's")
    assert pipeline.law() == {"raw": 3, "published": 2, "failed": 1}
