"""Tests of passing a resume on: whatever answers at another worker's address, it is said of that worker."""

from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request

from streams.views import resume


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b'{"workers": [{"worker": "w", "resumed": true}]}', {"worker": "w", "resumed": True}),
        (200, b'{"workers": []}', "is no worker: look at its WEB_ADVERTISED_URL"),
        (200, b"[]", "is no worker: look at its WEB_ADVERTISED_URL"),
        (200, b"<html>", "is no worker: look at its WEB_ADVERTISED_URL"),
        (503, b"{}", "answered 503"),
    ],
)
async def test_what_another_worker_answers_is_told(monkeypatch, status, body, told):
    async def answer(request):
        return web.Response(status=status, body=body, content_type="application/json")

    application = web.Application()
    application.router.add_post(resume.PATH, answer)
    async with aiohttp.ClientSession() as session, TestServer(application) as server:
        monkeypatch.setattr(resume, "app", SimpleNamespace(http_client=session))
        url = str(server.make_url("")).rstrip("/")
        found = await resume._pass_on(url, make_mocked_request("POST", resume.PATH))
    if isinstance(told, str):
        assert found["worker"] == url
        assert told in found["error"]
    else:
        assert found == told
