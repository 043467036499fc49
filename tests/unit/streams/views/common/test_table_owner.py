"""Tests of asking the worker that owns the tables: whatever answers at its address, it is said."""

from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from settings import load_settings
from streams.views.common import table_owner


@pytest.fixture
async def owner(monkeypatch):
    """Has what owns the tables, by its address, answer with that status and body."""
    servers = []

    async with aiohttp.ClientSession() as session:

        async def start(status, body):
            async def answer(request):
                return web.Response(status=status, body=body)

            application = web.Application()
            application.router.add_get("/{path:.*}", answer)
            servers.append(TestServer(application))
            await servers[-1].start_server()
            known = SimpleNamespace(is_here=lambda: False, address=lambda: servers[-1].make_url(""))
            mine = SimpleNamespace(owner=known, http_client=session, settings=load_settings())
            monkeypatch.setattr(table_owner, "app", mine)

        yield start
    for one in servers:
        await one.close()


async def test_its_answer_is_read(owner):
    await owner(200, b'{"rows": []}')
    assert await table_owner.ask_owner("/api/tables/gaps/") == {"rows": []}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
async def test_what_is_no_worker_is_said_with_what_to_do(owner, body):
    await owner(200, body)
    with pytest.raises(table_owner.UnavailableError, match="is no worker: look at WEB_ADVERTISED_URL"):
        await table_owner.ask_owner("/api/live/")


async def test_a_refusal_is_said(owner):
    await owner(401, b"{}")
    with pytest.raises(table_owner.UnavailableError, match="answered 401"):
        await table_owner.ask_owner("/api/live/")
