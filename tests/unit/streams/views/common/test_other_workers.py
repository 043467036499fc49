"""Tests of asking the group's other workers: who knows answers, whoever is away, and nobody asks in a circle."""

from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from streams.views.common import other_workers
from streams.views.common.answers import RefusedError
from streams.views.common.worker_client import ASKED_BY_WORKER

PATH = "/api/redrive/run-1/stop/?x=1"


class View:
    """Answers as Faust's views do."""

    def bytes(self, value, *, content_type, status):
        return web.Response(body=value, content_type=content_type, status=status)


@pytest.fixture
async def group(monkeypatch):
    """Workers of which each knows what it is given to say, and their addresses; what they were asked is kept."""
    servers, asked, urls = [], [], ["http://127.0.0.1:9"]

    async def start(*answers):
        for status, told in answers:

            async def answer(request, status=status, told=told):
                asked.append((request.method, str(request.rel_url), request.headers.get("Authorization")))
                assert request.headers[ASKED_BY_WORKER] == "1"
                return web.json_response(told, status=status)

            worker = web.Application()
            worker.router.add_route("*", "/{path:.*}", answer)
            servers.append(TestServer(worker))
            await servers[-1].start_server()
            urls.append(str(servers[-1].make_url("")))
        return asked

    async with aiohttp.ClientSession() as session:
        assignor = SimpleNamespace(tables_metadata=lambda: urls, external_topics_metadata=dict)
        mine = SimpleNamespace(http_client=session, assignor=assignor, worker_name="http://127.0.0.1:8")
        monkeypatch.setattr(other_workers, "app", mine)
        yield start
    for one in servers:
        await one.close()


def request(**headers):
    return make_mocked_request("POST", PATH, headers=headers)


@pytest.mark.parametrize("status", [401, 421, 500, 503])
async def test_one_that_cannot_say_does_not_hide_the_one_that_knows(group, status):
    await group((status, {"error": "not me"}), (200, {"id": "run-1"}))
    found = await other_workers.from_others(View(), request(), "it")
    assert (found.status, found.body) == (200, b'{"id": "run-1"}')


async def test_the_one_that_knows_answers_with_its_own_status(group):
    asked = await group((404, {}), (200, {"id": "run-1"}))
    found = await other_workers.from_others(View(), request(Authorization="Bearer t"), "it")
    assert (found.status, found.body) == (200, b'{"id": "run-1"}')
    assert asked == [("POST", PATH, "Bearer t")] * 2


async def test_a_refusal_is_passed_on(group):
    await group((403, {"error": "forbidden"}))
    assert (await other_workers.from_others(View(), request(), "it")).status == 403


async def test_what_nobody_knows_is_not_found(group):
    await group((404, {}))
    with pytest.raises(RefusedError, match="no worker of the group knows a redrive 'run-1'") as refusal:
        await other_workers.from_others(View(), request(), "a redrive 'run-1'")
    assert refusal.value.code == 404


async def test_who_is_asked_by_a_worker_asks_no_other(group):
    asked = await group((200, {}))
    with pytest.raises(RefusedError):
        await other_workers.from_others(View(), request(**{ASKED_BY_WORKER: "1"}), "it")
    assert asked == []
