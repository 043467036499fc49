"""Tests of claim checks: against moto's S3, through an outage, and in order."""

from __future__ import annotations

import asyncio

import aioboto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.aws.answers import NoAnswerError
from clients.aws.client import open_client
from processors.routes.target import Offload
from settings import load_settings
from streams.checks.buckets import check_buckets
from streams.delivery.targets.offload import ClaimChecks


class Troubles(list):
    """What was heard, and a wait for the first."""

    def __init__(self):
        super().__init__()
        self.came = asyncio.Event()

    def heard(self, reason):
        self.append(reason)
        self.came.set()


@pytest.fixture
async def signing_in():
    """A proxy that shows every caller its page, as a success."""

    async def page(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="<html>sign in</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    async with TestServer(app) as server:
        yield str(server.make_url(""))


def checks(client, troubles=None):
    async def given():
        return client

    def bug(error):
        raise error

    return ClaimChecks(given, (Troubles() if troubles is None else troubles).heard, on_bug=bug, chance=lambda: 0.0)


async def test_what_is_stored_is_read_back_by_the_claim(moto_settings):
    async with open_client(moto_settings, "s3") as client:
        plain = client._client
        await plain.create_bucket(Bucket="calls")
        small, body = Offload("calls", "events/").claim({"detail": {"text": "x" * 2_000_000}}, "events/r/1.json")
        await checks(client).store("calls", "events/r/1.json", body)
        claim = small["detail"]["claimCheck"]
        found = await plain.get_object(Bucket=claim["bucket"], Key=claim["key"])
        assert await found["Body"].read() == body
        assert claim["bytes"] == len(body) > 2_000_000


async def test_a_page_in_place_of_s3_has_stored_nothing(signing_in):
    settings = load_settings(aws_endpoint_url=signing_in, aws_region="eu-west-1")
    async with open_client(settings, "s3") as client:
        with pytest.raises(NoAnswerError, match="status 200 that is not from AWS"):
            await client.put_object(Bucket="calls", Key="k", Body=b"{}")


async def test_a_bucket_that_is_not_there_is_waited_for(moto_settings):
    troubles = Troubles()
    async with open_client(moto_settings, "s3") as client:
        storing = asyncio.create_task(checks(client, troubles).store("later", "k", b"{}"))
        async with asyncio.timeout(30):
            await troubles.came.wait()
        assert "NoSuchBucket" in troubles[0]
        await client._client.create_bucket(Bucket="later")
        async with asyncio.timeout(30):
            await storing
        assert troubles[-1] is None


async def test_events_with_the_same_key_stay_in_order_and_others_pass():
    order, gate, done = [], asyncio.Event(), asyncio.Event()

    async def large():
        await gate.wait()
        order.append("large")

    async def behind():
        order.append("behind")
        done.set()

    async def other():
        order.append("other")
        gate.set()

    made = checks(None)
    made.put("a", large)
    made.put("a", behind)
    assert made.holds("a")
    made.put("b", other)
    async with asyncio.timeout(60):
        await done.wait()
    await asyncio.sleep(0)
    assert not made.holds("a")
    assert order == ["other", "large", "behind"]
    assert not made.holds("b")


async def test_an_outage_uses_up_nothing():
    class Away:
        asked = 0

        async def put_object(self, **_):
            self.asked += 1
            if self.asked < 4:
                raise NoAnswerError("no answer within 11 s")

    troubles, client = Troubles(), Away()
    await checks(client, troubles).store("b", "k", b"{}")
    assert client.asked == 4
    assert troubles[-1] is None


async def test_check_asks_for_the_right_and_names_a_bucket_that_is_not_there(moto_settings):
    session = aioboto3.Session(region_name="us-east-1")
    async with session.client("s3", endpoint_url=moto_settings.aws_endpoint_url) as client:
        await client.create_bucket(Bucket="asked")
    found = await check_buckets(moto_settings, [Offload("asked", "p/"), Offload("nowhere")])
    assert [(one.name, one.ok) for one in found] == [("bucket asked", True), ("bucket nowhere", False)]
    assert found[1].detail == "does not exist"
    assert await check_buckets(moto_settings, []) == []
