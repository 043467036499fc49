"""Tests of the sink with claim checks: what is too large goes to S3 first, and nothing overtakes within a key."""

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from agents.sink import BatchRun, OutgoingEvent, Publishing
from clients.aws.events.eventbridge import Accepted
from processors.routes.routes import Routes, TriedRoute
from processors.routes.target import Offload
from streams.delivery.buffer import Batch
from streams.delivery.targets.entries import EntryBuilder
from streams.delivery.targets.offload import ClaimChecks
from streams.routes.folder import read_routes

TEXTS = next(one for one in read_routes(Path(__file__).parents[3] / "schemas") if one.name == "interaction")
HEADERS = {"event-id": b"e-1", "route": b"interaction", "received-at": b"1763895600000", "origin": b"genesys.raw/3/7"}


def mapped(text):
    detail = {"interactionId": "i", "text": text}
    return orjson.dumps({"source": "s", "detail-type": "d", "detail": detail, "resources": [], "id": text[:3]})


class Publisher:
    """Takes everything, in the order in which it comes."""

    def __init__(self):
        self.details = []

    def submit(self, entry, key, heard):
        self.details.append((key, orjson.loads(entry.fields["Detail"])))
        heard(Accepted("id"))


class S3:
    """Keeps objects once its gate is open."""

    def __init__(self):
        self.gate, self.objects = asyncio.Event(), {}

    async def put_object(self, *, Bucket, Key, Body, ContentType):  # noqa: N803
        await self.gate.wait()
        self.objects[Bucket, Key] = Body


@pytest.fixture
def scene(delivery):
    publisher, bucket = Publisher(), S3()

    async def open_bus():
        return publisher

    async def open_bucket():
        return bucket

    def stage(offload):
        routes = Routes([TriedRoute(replace(TEXTS, offload=offload), "jsonatapy")])
        checks = ClaimChecks(open_bucket, lambda _: None)
        return Publishing(
            open_bus, delivery, EntryBuilder(lambda: routes, "default", max_bytes=2_000), claim_checks=checks
        )

    return stage, publisher, bucket


async def test_a_large_detail_goes_to_s3_and_its_claim_onto_the_bus_behind_nothing_of_its_key(scene, event, counts):
    stage, publisher, bucket = scene
    batch = [
        event(mapped("large" * 1_000), HEADERS, key=b"k"),
        event(mapped("after"), {**HEADERS, "event-id": b"e-2"}, key=b"k"),
        event(mapped("other"), {**HEADERS, "event-id": b"e-3"}, key=b"o"),
    ]
    ended = []
    working = asyncio.create_task(
        stage(Offload("calls", "p/", ("interactionId",))).publish(Batch(0, batch), ended.extend)
    )
    while not publisher.details and not working.done():  # noqa: ASYNC110  # the one of another key needs no bucket
        await asyncio.sleep(0)
    assert publisher.details == [("o", {"interactionId": "i", "text": "other"})]
    bucket.gate.set()
    async with asyncio.timeout(60):
        await working
    (_, claim), (_, after) = publisher.details[1:]
    assert after["text"] == "after"
    assert (claim["interactionId"], claim["claimCheck"]["key"]) == ("i", "p/interaction/e-1.json")
    assert orjson.loads(bucket.objects["calls", "p/interaction/e-1.json"])["text"] == "large" * 1_000
    assert sorted(map(id, ended)) == sorted(map(id, batch))
    assert counts.drain()["counts"]["published"] == 3


async def test_below_the_limit_nothing_goes_to_s3(scene, event):
    stage, publisher, bucket = scene
    await stage(Offload("calls")).publish(Batch(0, [event(mapped("small"), HEADERS, key=b"k")]), lambda _: None)
    assert bucket.objects == {}
    assert "claimCheck" not in publisher.details[0][1]


async def test_a_limit_of_the_route_is_kept(scene, event):
    stage, _, bucket = scene
    bucket.gate.set()
    await stage(Offload("calls", over=1_000)).publish(
        Batch(0, [event(mapped("x" * 1_500), HEADERS, key=b"k")]), lambda _: None
    )
    assert list(bucket.objects) == [("calls", "interaction/e-1.json")]


async def test_a_route_without_a_bucket_leaves_it_to_the_publisher_to_refuse(scene, event):
    stage, publisher, bucket = scene
    await stage(None).publish(Batch(0, [event(mapped("large" * 1_000), HEADERS, key=b"k")]), lambda _: None)
    assert len(publisher.details) == 1
    assert bucket.objects == {}


async def test_what_dies_between_the_object_and_the_bus_comes_again_under_the_same_name(scene, event):
    stage, publisher, bucket = scene
    bucket.gate.set()
    large = mapped("large" * 1_000)
    answers, submit = [], publisher.submit
    publisher.submit = lambda entry, key, heard: answers.append(entry)  # the bus never answers
    ended = []
    dying = asyncio.create_task(
        stage(Offload("calls")).publish(Batch(0, [event(large, HEADERS, key=b"k")]), ended.extend)
    )
    while not answers and not dying.done():  # noqa: ASYNC110  # until the entry is on its way
        await asyncio.sleep(0)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert ended == []  # nothing is acked: the next worker has the event again
    [stored] = bucket.objects.items()

    publisher.submit = submit
    again = [event(large, HEADERS, key=b"k")]
    await stage(Offload("calls")).publish(Batch(0, again), ended.extend)

    assert ended == again
    assert list(bucket.objects.items()) == [stored]
    assert [detail["claimCheck"]["key"] for _, detail in publisher.details] == ["interaction/e-1.json"]


async def test_a_batch_that_is_done_leaves_nothing_to_the_garbage_collector(scene, event):
    """Cycles of whole batches had the worker stand still for tens of milliseconds every two seconds."""
    stage, _, _ = scene
    publishing = stage(None)
    gc.collect()
    gc.disable()
    try:
        await publishing.publish(Batch(0, [event(mapped("small"), HEADERS, key=b"k")]), lambda _: None)
        await asyncio.sleep(0)
        assert [one for one in gc.get_objects() if isinstance(one, Batch | BatchRun | OutgoingEvent)] == []
    finally:
        gc.enable()
