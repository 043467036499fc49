"""Tests of the process stage: each event is forwarded, reported or counted as filtered, one of them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock

import orjson
import pytest

from agents.process import Processing
from processors.event.identity import derive_event_id
from processors.routes.breaker import BreakerLimits
from processors.routes.outcome import Failed
from processors.routes.route import compile_route
from processors.routes.routes import Routes, route_event
from settings import Settings
from streams.delivery.deduplication import Deduplication
from streams.delivery.stage import LeftError
from streams.health import Health
from streams.routes.breaker import FailureBreaker
from streams.routes.folder import read_routes

ROUTES = Routes(compile_route(texts) for texts in read_routes(Path(__file__).parents[3] / "schemas"))
CALL = next(e.event for e in ROUTES.get("interaction").texts.examples if e.name == "high-priority-call")
EMAIL = next(e.event for e in ROUTES.get("interaction").texts.examples if e.name == "ordinary-email")
LATE = next(e.event for e in ROUTES.get("interaction").texts.examples if e.name == "malformed-time")


class InProcess:
    """Maps as the sandbox does, in this process."""

    def __init__(self, routes=ROUTES):
        self.routes, self.batches = routes, 0

    async def apply(self, raws):
        self.batches += 1
        return [route_event(self.routes, raw, 900_000, lambda _: None) for raw in raws]


@pytest.fixture
def new_stage(delivery):
    """Makes the stage for some routes, and for whatever part of it a test has changed."""

    def make(routes=ROUTES, mapping=None, delivery=delivery):
        one = InProcess(routes)
        breaker = FailureBreaker(BreakerLimits(1.0, 1_000_000, 60.0), Health())
        return Processing(mapping or (lambda: one), breaker, delivery, lambda: routes, AsyncMock(return_value=True))

    return make


@pytest.fixture
def process(new_stage):
    return new_stage().process


async def test_a_mapped_event_goes_to_validated_with_its_headers(process, producer, counts, event):
    value = orjson.dumps(CALL)
    await process([event(value, {"received-at": b"123"}, partition=3, offset=1042)])
    (record,) = producer.taken
    assert (record.topic, record.key) == ("genesys.validated", CALL["id"].encode())
    assert orjson.loads(record.value)["detail"]["interactionId"] == CALL["id"]
    assert record.headers == {
        "event-id": derive_event_id(CALL).encode(),
        "route": b"interaction",
        "received-at": b"123",
        "origin": b"genesys.raw/3/1042",
        "original": value,
    }
    assert counts.drain()["counts"] == {"raw": 1, "validated": 1}


async def test_without_received_at_the_record_s_own_time_counts(process, producer, counts, event):
    await process([event(orjson.dumps(CALL), {}, timestamp=1_763_895_600_500)])
    assert producer.taken[0].headers["received-at"] == b"1763895600500"


async def test_the_id_given_by_the_source_stands(process, producer, counts, event):
    given = b"2c6d0b7e-1c9a-4f6b-8f0e-6a1d4a3f9b10"
    await process([event(orjson.dumps(CALL), {"event-id": given})])
    assert producer.taken[0].headers["event-id"] == given
    assert orjson.loads(producer.taken[0].value)["id"] == given.decode()


async def test_a_filtered_event_is_counted_and_goes_nowhere(process, producer, counts, event):
    await process([event(orjson.dumps(EMAIL))])
    assert producer.taken == []
    assert counts.drain()["counts"] == {"raw": 1, "filtered": 1}


async def test_an_event_that_breaks_its_schema_is_reported_with_every_violation(process, producer, counts, event):
    await process([event(orjson.dumps(LATE), {}, partition=1, offset=5)])
    (record,) = producer.taken
    content = orjson.loads(record.value)
    assert record.topic == "genesys.failures"
    assert (content["stage"], content["error"], content["route"]) == (
        "validate",
        "SchemaViolation",
        "interaction",
    )
    assert [detail["path"] for detail in content["details"]] == ["detail.timestamp", "time"]
    assert content["originalEvent"] == LATE
    assert content["origin"] == {"topic": "genesys.raw", "partition": 1, "offset": 5}
    assert counts.drain()["failed"] == {"validate/SchemaViolation": 1}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, "MalformedEvent"),
        (b"", "MalformedEvent"),
        (b"{", "MalformedJSON"),
        (b"\xff", "MalformedJSON"),
        (b"[]", "NotAnObject"),
        (b'{"n":18446744073709551615}', "NumberOutOfRange"),
        (b"[" * 2_000, "NestedTooDeep"),
        (b'{"a":"' + b"x" * 5_000_000, "MalformedJSON"),
    ],
    ids=[
        "no value",
        "no bytes",
        "cut off",
        "invalid UTF-8",
        "an array",
        "beyond int64",
        "too deep",
        "5 MB of no JSON",
    ],
)
@pytest.mark.parametrize("headers", [{}, {"event-id": b"\xff", "received-at": b"9" * 900, "origin": b"x"}])
async def test_bad_bytes_are_reported_and_stop_nothing(process, producer, counts, event, value, error, headers):
    await process([event(value, headers), event(orjson.dumps(CALL))])
    assert [record.topic for record in producer.taken] == ["genesys.failures", "genesys.validated"]
    content = orjson.loads(producer.taken[0].value)
    assert (content["stage"], content["error"]) == ("source", error)
    assert len(producer.taken[0].value) < Settings().kafka_max_message_bytes
    assert counts.drain()["counts"] == {"raw": 2, "failed": 1, "validated": 1}


async def test_an_event_may_feed_two_routes(new_stage, producer, event):
    one = ROUTES.get("interaction")
    two = replace(one, texts=replace(one.texts, name="second"))
    await new_stage(Routes([one, two])).process([event(orjson.dumps(CALL))])
    assert [record.headers["route"] for record in producer.taken] == [b"interaction", b"second"]
    assert len({record.headers["event-id"] for record in producer.taken}) == 1


async def test_an_original_that_does_not_fit_beside_the_mapped_event_is_left_to_its_origin(
    process, producer, counts, event
):
    body = {**CALL, "padding": "x" * 995_500}
    await process([event(orjson.dumps(body))])
    (record,) = producer.taken
    assert record.topic == "genesys.validated"
    assert "original" not in record.headers
    assert record.headers["origin"] == b"genesys.raw/0/0"


async def test_each_event_ends_once_and_in_order(process, producer, counts, event):
    bodies = [CALL, EMAIL, LATE] * 40
    await process([event(orjson.dumps({**body, "n": n}), {}, offset=n) for n, body in enumerate(bodies)])
    delta = counts.drain()["counts"]
    assert delta == {"raw": 120, "validated": 40, "filtered": 40, "failed": 40}
    origins = [int(record.headers["origin"].rpartition(b"/")[2]) for record in producer.taken]
    assert origins == sorted(origins)
    assert len(set(origins)) == 80


async def test_nothing_is_counted_before_the_broker_has_it(process, producer, counts, event):
    producer.confirmed.clear()
    processing = asyncio.create_task(process([event(orjson.dumps(CALL))]))
    await producer.asked.wait()
    assert counts.drain() is None
    producer.confirmed.set()
    await processing
    assert counts.drain()["counts"] == {"raw": 1, "validated": 1}


def test_a_failure_has_no_default_stage():
    assert Failed("transform", "E", "m").stage == "transform"


async def test_an_event_that_comes_again_is_dropped_and_counted(process, producer, counts, event):
    value = orjson.dumps(CALL)
    await process([event(value, offset=1), event(value, offset=2)])
    await process([event(value, offset=3)])
    assert len(producer.taken) == 1
    assert counts.drain()["counts"] == {"raw": 3, "validated": 1, "repeated": 2}


@pytest.mark.parametrize(
    ("told", "forwarded"),
    [
        ({"replayed": b"redrive-1", "route": b"interaction"}, 2),
        ({"replayed": b"redrive-1", "route": b"another"}, 1),
        ({"replayed": b"redrive-1"}, 1),
        ({"route": b"interaction"}, 1),
    ],
    ids=["redriven", "redriven for another route", "replayed", "somebody else's header"],
)
async def test_an_output_that_was_refused_is_made_again_by_a_redrive(process, producer, counts, event, told, forwarded):
    await process([event(orjson.dumps(CALL))])
    await process([event(orjson.dumps(CALL), told)])
    assert [record.topic for record in producer.taken] == ["genesys.validated"] * forwarded


async def test_a_failed_event_says_by_which_run_it_came(process, producer, counts, event):
    await process([event(orjson.dumps(LATE), {"replayed": b"redrive-1"})])
    assert producer.taken[0].headers["replayed"] == b"redrive-1"


async def test_a_failure_that_comes_again_is_reported_again(process, producer, counts, event):
    for offset in range(2):
        await process([event(orjson.dumps(LATE), offset=offset)])
    assert [record.topic for record in producer.taken] == ["genesys.failures"] * 2
    assert counts.drain()["counts"] == {"raw": 2, "failed": 2}


async def test_an_output_is_not_known_before_the_broker_has_it(process, producer, counts, event, deduplication):
    producer.confirmed.clear()
    sending = asyncio.create_task(process([event(orjson.dumps(CALL))]))
    await producer.asked.wait()
    mark = deduplication.mark(derive_event_id(CALL), "interaction")
    assert not deduplication.knows(mark)
    producer.confirmed.set()
    await sending
    assert deduplication.knows(mark)


async def test_without_a_window_what_comes_again_is_forwarded_again(new_stage, delivery, counts, event):
    off = Deduplication(0, {}, lambda route: "", set)
    stage = new_stage(delivery=replace(delivery, deduplication=off))
    await stage.process([event(orjson.dumps(CALL)), event(orjson.dumps(CALL))])
    assert counts.drain()["counts"] == {"raw": 2, "validated": 2}


async def test_a_replayed_event_says_so_on_its_way_to_the_sink(process, producer, counts, event):
    await process([event(orjson.dumps(CALL), {"replayed": b"run-1"})])
    assert producer.taken[0].headers["replayed"] == b"run-1"


async def test_a_batch_is_mapped_again_when_routes_change_before_it_is_sent(new_stage, producer, event):
    old, new = InProcess(), InProcess()
    given = [old]
    stage = new_stage(mapping=lambda: given.pop() if given else new)
    await stage.process([event(orjson.dumps(CALL))])
    assert (old.batches, new.batches) == (1, 1)
    assert len(producer.taken) == 1


async def test_what_is_somebody_else_s_by_the_time_it_is_mapped_is_not_sent(delivery, counts, producer, event):
    mapping, breaker = InProcess(), FailureBreaker(BreakerLimits(1.0, 1_000_000, 60.0), Health())
    stage = Processing(lambda: mapping, breaker, delivery, lambda: ROUTES, AsyncMock(return_value=False))
    with pytest.raises(LeftError):
        await stage.process([event(orjson.dumps(CALL))])
    assert (producer.taken, counts.drain()) == ([], None)
