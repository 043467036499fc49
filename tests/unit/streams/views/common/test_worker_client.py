"""Tests of asking another worker: what it is told, and that one that is silent keeps nobody waiting."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from streams.views.common.worker_client import ASKED_BY_WORKER, NoAnswerError, ask, is_asked_by_worker, pass_on


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def worker():
    """A worker that tells what it was asked, and is silent where it is asked for nothing."""
    ends = asyncio.Event()

    async def answer(request):
        if request.path == "/silent":
            await ends.wait()
        names = ("Authorization", ASKED_BY_WORKER)
        asked = [request.method, str(request.rel_url), *(request.headers.get(name) for name in names)]
        return web.json_response(asked, status=203)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
        ends.set()


async def test_a_request_is_passed_on_with_its_query_and_its_token(client, worker):
    request = make_mocked_request("POST", "/api/x/?a=1&b=%26", headers={"Authorization": "Bearer t"})
    found = await pass_on(client, request, worker)
    assert (found.status, found.content_type) == (203, "application/json")
    assert found.body == b'["POST", "/api/x/?a=1&b=%26", "Bearer t", "1"]'


async def test_without_a_token_none_is_sent(client, worker):
    assert (await ask(client, f"{worker}y", None)).body == b'["GET", "/y", null, "1"]'


def test_a_worker_that_asks_is_known():
    assert is_asked_by_worker(make_mocked_request("GET", "/", headers={ASKED_BY_WORKER: "1"}))
    assert not is_asked_by_worker(make_mocked_request("GET", "/"))


@pytest.mark.parametrize(("path", "why"), [("silent", "Timeout"), (None, "Connect")])
async def test_what_does_not_answer_is_said(client, worker, path, why):
    url = f"{worker}{path}" if path else "http://127.0.0.1:9/"
    with pytest.raises(NoAnswerError, match=why):
        await ask(client, url, None, patience_s=0.05 if path else 5.0)
