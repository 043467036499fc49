"""Tests of the sink: each event is published or reported, never both, never neither."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pytest

from agents.sink import Publishing
from clients.aws.events.eventbridge import Accepted, RefusedEntry
from processors.routes.routes import Routes, TriedRoute
from streams.delivery.buffer import Batch
from streams.delivery.targets.entries import EntryBuilder
from streams.routes.folder import read_routes

ROUTES = Routes(TriedRoute(one, "jsonatapy") for one in read_routes(Path(__file__).parents[3] / "schemas"))
MAPPED = {
    "source": "s",
    "detail-type": "d",
    "detail": {"a": 1},
    "time": "2026-11-23T10:00:00Z",
    "resources": ["r"],
    "id": "2c6d0b7e-1c9a-4f6b-8f0e-6a1d4a3f9b10",
}
VALUE = orjson.dumps(MAPPED)
HEADERS = {
    "event-id": b"e-1",
    "route": b"interaction",
    "received-at": b"1763895600000",
    "origin": b"genesys.raw/3/7",
    "original": b'{"id":"x"}',
}


class FakePublisher:
    def __init__(self):
        self.result = Accepted("id")
        self.published = []

    def submit(self, entry, key, heard):
        self.published.append((entry, key))
        heard(self.result)


@pytest.fixture
def publisher():
    return FakePublisher()


@pytest.fixture
def new_stage(publisher, delivery):
    """Makes the stage for some routes."""

    async def open_bus():
        return publisher

    return lambda routes=ROUTES: Publishing(open_bus, delivery, EntryBuilder(lambda: routes, "default"))


async def run(stage, batch):
    """Work a batch off; every event of it must have ended, once."""
    ended = []
    await stage.publish(Batch(0, batch), ended.extend)
    assert sorted(map(id, ended)) == sorted(map(id, batch))


@pytest.fixture
def sink(new_stage):
    return partial(run, new_stage())


def failure(producer):
    (record,) = producer.taken
    assert record.topic == "genesys.failures"
    return orjson.loads(record.value), record


async def test_an_accepted_event_is_counted_with_its_latency(sink, publisher, producer, counts, event):
    await sink([event(VALUE, HEADERS, key=b"k")])
    ((entry, key),) = publisher.published
    assert (key, entry.fields["EventBusName"], entry.fields["Detail"]) == ("k", "default", '{"a":1}')
    assert producer.taken == []
    delta = counts.drain()
    assert (delta["counts"], delta["latency"]["count"]) == ({"published": 1}, 1)


async def test_without_received_at_there_is_no_latency(sink, publisher, producer, counts, event):
    await sink([event(VALUE, {})])
    assert counts.drain()["latency"]["count"] == 0


async def test_the_age_of_a_replayed_event_is_no_latency(sink, publisher, producer, counts, event):
    await sink([event(VALUE, {**HEADERS, "replayed": b"redrive-1"})])
    delta = counts.drain()
    assert (delta["counts"]["published"], delta["latency"]["count"]) == (1, 0)


async def test_a_time_in_another_unit_is_no_latency(sink, publisher, producer, counts, event):
    await sink([event(VALUE, {**HEADERS, "received-at": b"1763895600"})])
    delta = counts.drain()
    assert (delta["counts"]["published"], delta["latency"]["count"]) == (1, 0)


async def test_a_refused_event_is_reported_with_its_cause_and_its_original(sink, publisher, producer, counts, event):
    publisher.result = RefusedEntry("ThrottlingException", "slow down", 5)
    await sink([event(VALUE, HEADERS, key=b"k")])
    content, record = failure(producer)
    assert {name: content[name] for name in ("error", "message", "stage", "retryAttempt", "route", "eventId")} == {
        "error": "ThrottlingException",
        "message": "slow down",
        "stage": "publish",
        "retryAttempt": 5,
        "route": "interaction",
        "eventId": "e-1",
    }
    assert content["originalEvent"] == {"id": "x"}
    assert content["transformedEvent"] == MAPPED
    assert content["origin"] == {"topic": "genesys.raw", "partition": 3, "offset": 7}
    assert (record.key, record.headers["event-id"], record.headers["origin"]) == (
        b"k",
        b"e-1",
        b"genesys.raw/3/7",
    )
    assert {name: text for name, text in record.headers.items() if name.startswith("__streams")} == {
        "__streams.errors.exception": b"ThrottlingException",
        "__streams.errors.message": b"slow down",
        "__streams.errors.topic": b"genesys.raw",
        "__streams.errors.partition": b"3",
        "__streams.errors.offset": b"7",
    }
    assert counts.drain()["failed"] == {"publish/ThrottlingException": 1}


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"\xff",
        *(
            orjson.dumps({**MAPPED, **change})
            for change in (
                {"source": 7},
                {"detail": []},
                {"detail": None},
                {"resources": "abc"},
                {"resources": [1]},
                {"time": 5},
                {"time": "0001-01-01T00:00:00+14:00"},
                {"detail-type": None},
            )
        ),
        orjson.dumps(MAPPED).replace(b'{"a":1}', b'{"a":18446744073709551615}'),
    ],
)
@pytest.mark.parametrize(
    "headers", [HEADERS, {}, {"origin": b"t/1/" + b"9" * 40, "received-at": b"9" * 500, "event-id": b"\xff"}]
)
async def test_what_somebody_else_wrote_is_reported_and_stops_nothing(
    sink, publisher, producer, counts, event, value, headers
):
    await sink([event(value, headers, key=None)])
    content, _ = failure(producer)
    assert (content["stage"], content["error"]) == ("publish", "MalformedEntry")
    assert publisher.published == []
    came_past_process = {} if headers == HEADERS else {"raw": 1}
    assert counts.drain()["counts"] == {"failed": 1, **came_past_process}


async def test_a_foreign_record_without_origin_is_found_by_where_it_stands(sink, publisher, producer, counts, event):
    await sink([event(b"x", {}, topic="genesys.validated", partition=2, offset=9)])
    content, _ = failure(producer)
    assert content["origin"] == {"topic": "genesys.validated", "partition": 2, "offset": 9}


async def test_the_bus_of_the_route_wins(new_stage, publisher, event):
    route = next(iter(ROUTES))
    mine = replace(route, texts=replace(route.texts, name="mine", event_bus="other-bus"))
    await run(new_stage(Routes([mine])), [event(VALUE, {"route": b"mine"}), event(VALUE, {"route": b"gone"})])
    assert [entry.fields["EventBusName"] for entry, _ in publisher.published] == ["other-bus", "default"]


async def test_the_bus_for_which_an_event_was_mapped_stands_though_its_route_is_gone(
    sink, publisher, producer, counts, event
):
    publisher.result = RefusedEntry("X", "", 5)
    await sink([event(VALUE, {"route": b"gone", "event-bus": b"vip"})])
    assert [entry.fields["EventBusName"] for entry, _ in publisher.published] == ["vip"]
    assert producer.taken[0].headers["event-bus"] == b"vip", "for who brings it back"


async def test_a_foreign_key_of_any_length_fits_its_failure_record(sink, publisher, producer, counts, event):
    await sink([event(b"x", {}, key=b"k" * 700_000)])
    assert producer.taken[0].key == b"k" * 256


@pytest.mark.parametrize("result", [Accepted("i"), RefusedEntry("MalformedDetail", ""), RefusedEntry("X", "", 5)])
async def test_each_event_ends_once(sink, publisher, producer, counts, event, result):
    publisher.result = result
    await sink([event(VALUE, HEADERS), event(b"bad"), event(VALUE, {})])
    delta = counts.drain()["counts"]
    assert delta.get("published", 0) + delta["failed"] == 3
    assert len(producer.taken) == delta["failed"]


async def test_a_copy_of_what_a_redrive_put_on_the_bus_is_dropped_and_counted(publisher, delivery, counts, event):
    async def open_bus():
        return publisher

    stage = Publishing(open_bus, delivery, EntryBuilder(lambda: ROUTES, "default"), window_s=600.0)
    redriven = {**HEADERS, "replayed": b"redrive-2026-a", "straight": b"1"}
    publisher.result = RefusedEntry("ThrottlingException", "slow", 5)
    await run(stage, [event(VALUE, redriven)])
    assert counts.drain()["counts"] == {"redriven": 1, "failed": 1}
    publisher.result = Accepted("id")
    await run(stage, [event(VALUE, redriven)])
    assert counts.drain()["counts"] == {"redriven": 1, "published": 1}, "what was refused is not on the bus"
    await run(stage, [event(VALUE, {**redriven, "replayed": b"redrive-2026-b"})])
    assert counts.drain()["counts"] == {"raw": 1, "repeated": 1}
    await run(stage, [event(VALUE, {**redriven, "replayed": b"redrive-again-2026-c"})])
    assert counts.drain()["counts"] == {"redriven": 1, "published": 1}
    assert len(publisher.published) == 3


class Withdrawing(FakePublisher):
    """Answers the first entry alone; the others are withdrawn."""

    def submit(self, entry, key, heard):
        self.published.append((entry, key))
        self.heard = [*getattr(self, "heard", ()), heard]
        return heard

    def withdraw(self, all_pending):
        assert all_pending == self.heard
        self.heard[0](Accepted("id"))
        for heard in self.heard[1:]:
            heard(None)


async def test_what_was_not_sent_before_a_rebalance_is_neither_counted_nor_ended(delivery, counts, producer, event):
    publisher, ended = Withdrawing(), []

    async def open_bus():
        return publisher

    batch = Batch(0, [event(VALUE, HEADERS, offset=number, key=b"k%d" % number) for number in range(3)])
    stage = Publishing(open_bus, delivery, EntryBuilder(lambda: ROUTES, "default"))
    working = asyncio.create_task(stage.publish(batch, ended.extend))
    while len(publisher.published) < 3:  # noqa: ASYNC110  # what is waited for tells nobody
        await asyncio.sleep(0)
    batch.leave()
    await working
    assert (ended, producer.taken, counts.drain()["counts"]) == (batch[:1], [], {"published": 1})


async def test_a_batch_that_is_left_while_there_is_no_bus_yet_is_not_begun(new_stage, publisher, event):
    batch, ended = Batch(0, [event(VALUE, HEADERS)]), []
    batch.leave()
    await new_stage().publish(batch, ended.extend)
    assert (publisher.published, ended) == ([], [])
