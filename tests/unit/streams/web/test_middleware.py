"""Tests of the guard before the web views: the token, the headers, and errors that tell no secrets."""

import asyncio
import base64
import io
import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from settings.web import WebToken
from streams.web.allowed_hosts import Hosts
from streams.web.middleware import HEADERS, middlewares

TOKEN = "s3cret-t\N{LATIN SMALL LETTER O WITH DIAERESIS}ken"


async def page(request):
    return web.json_response({"page": request.path})


async def broken(request):
    raise RuntimeError("password=hunter2")


async def change(request):
    return web.json_response({"bytes": len(await request.read())})


async def moved(request):
    raise web.HTTPFound("/page")


@pytest.fixture
async def client():
    """Make clients of a server with this token."""
    made = []

    async def make(token=TOKEN):
        app = web.Application(
            middlewares=middlewares([WebToken("token", True, SecretStr(token))] if token else [], Hosts(()))
        )
        open_pages = ("/", "/assets/app.js", "/health/live", "/health/ready", "/health/live/")
        for path in ("/page", "/health", "/tables/", *open_pages):
            app.router.add_get(path, page)
        app.router.add_get("/broken", broken)
        app.router.add_get("/moved", moved)
        app.router.add_post("/change", change)
        client = TestClient(TestServer(app, host="127.0.0.1"))
        await client.start_server()
        made.append(client)
        return client

    yield make
    for one in made:
        await one.close()


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} ", basic(f"anyone:{TOKEN}"), basic(f":{TOKEN}")],
)
async def test_who_knows_the_token_comes_in(client, authorization):
    answer = await (await client()).get("/page", headers={"Authorization": authorization})
    assert (answer.status, await answer.json()) == (200, {"page": "/page"})


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Token {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        "Basic",
        "Basic !!!",
        "Basic \N{LATIN SMALL LETTER O WITH DIAERESIS}",
        "Basic /////w==",
        basic(TOKEN),
        basic(f"{TOKEN}:"),
        basic("a:wrong"),
    ],
)
async def test_nobody_else_does(client, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await (await client()).get("/page", headers=headers)
    assert answer.status == 401
    assert (await answer.json())["error"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_bytes_that_are_no_text_are_no_token(client):
    running = await client()
    with socket.create_connection((running.host, running.port)) as raw:
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, b"GET /page HTTP/1.0\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
        assert b" 401 " in await loop.sock_recv(raw, 4_096)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/live/"])
async def test_probes_need_no_token(client, path):
    assert (await (await client()).get(path)).status == 200


@pytest.mark.parametrize("path", ["/", "/assets/app.js"])
async def test_the_page_that_asks_for_the_token_needs_none(client, path):
    assert (await (await client()).get(path)).status == 200


@pytest.mark.parametrize(("mode", "scheme"), [("cors", "Bearer"), ("same-origin", "Bearer"), ("navigate", "Basic")])
async def test_a_browser_asks_the_person_only_where_no_page_of_ours_does(client, mode, scheme):
    answer = await (await client()).get("/page", headers={"Sec-Fetch-Mode": mode})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith(scheme)


@pytest.mark.parametrize(
    "path", ["/health", "/nowhere", "/broken", "/health/live/../../page", "/assets/../page", "/assets"]
)
async def test_every_other_path_asks_for_it(client, path):
    assert (await (await client()).get(path)).status == 401


async def test_without_a_token_every_page_is_open(client):
    assert (await (await client(None)).get("/page")).status == 200


@pytest.mark.parametrize("path", ["/page", "/health/live", "/nowhere", "/broken", "/moved"])
async def test_every_answer_has_the_security_headers(client, path):
    for token in (TOKEN, None):
        answer = await (await client(token)).get(path, allow_redirects=False)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_an_error_tells_no_trace_and_no_secret(client, capsys):
    answer = await (await client(None)).get("/broken")
    assert (answer.status, await answer.json()) == (
        500,
        {"error": "internal error", "message": "the view failed; the log of the worker says why"},
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "header"),
    [("GET", "/nowhere", 404, None), ("POST", "/page", 405, "Allow"), ("GET", "/moved", 302, "Location")],
)
async def test_refusals_are_json_and_keep_what_the_caller_needs(client, method, path, status, header):
    answer = await (await client(None)).request(method, path, allow_redirects=False)
    assert answer.status == status
    assert set(await answer.json()) == {"error", "message"}
    assert header is None or answer.headers[header]


async def test_a_page_without_its_last_slash_is_redirected_for_those_who_know_the_token(client):
    made = await client()
    refused = await made.get("/tables?limit=2", allow_redirects=False)
    sent = await made.get("/tables?limit=2", allow_redirects=False, headers={"Authorization": f"Bearer {TOKEN}"})
    unknown = await made.get("/nothing", headers={"Authorization": f"Bearer {TOKEN}"})
    assert refused.status == 401
    assert (sent.status, sent.headers["Location"]) == (308, "/tables/?limit=2")
    assert unknown.status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=["a program", "our page", "another site", "a neighbour", "an older browser", "a sandboxed frame"],
)
async def test_a_page_of_another_site_changes_nothing(client, headers, status):
    answer = await (await client(None)).post("/change", headers=headers)
    assert answer.status == status
    assert HEADERS.items() <= answer.headers.items()


async def test_our_own_origin_may_change_things(client):
    running = await client(None)
    answer = await running.post("/change", headers={"Origin": f"http://{running.host}:{running.port}"})
    assert answer.status == 200


async def test_a_body_that_is_not_what_its_headers_say_is_the_callers_fault(client):
    answer = await (await client(None)).post("/change", data=b"no gzip", headers={"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert await answer.json() == {"error": "bad request", "message": "the body is not what its headers say"}


@pytest.mark.parametrize(
    ("path", "status"), [("/page", 421), ("/", 421), ("/change", 421), ("/health/live", 200), ("/health/ready", 200)]
)
async def test_a_name_that_is_not_ours_is_answered_to_probes_alone(client, path, status):
    """A page of another site that has its own name lead here (DNS rebinding) reads nothing and changes nothing."""
    answer = await (await client(None)).get(path, headers={"Host": "evil.example"})
    assert answer.status == status
    assert HEADERS.items() <= answer.headers.items()


async def test_a_body_that_is_too_large_is_refused(client):
    answer = await (await client(None)).post("/change", data=io.BytesIO(b"x" * 2_000_000))
    assert (answer.status, set(await answer.json())) == (413, {"error", "message"})
