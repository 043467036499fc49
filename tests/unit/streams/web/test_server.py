"""Tests of the server itself: whatever connects, a request gets through, and refusals have our headers and no trace."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.web_runner import TCPSite

from streams.web import server
from streams.web.allowed_hosts import Hosts
from streams.web.middleware import HEADERS, middlewares
from streams.web.server import BoundedRunner

BOUND = 10


@pytest.fixture
async def serve():
    """Serves two pages: one that answers, and one that waits for the test."""

    @asynccontextmanager
    async def serving(long_s=60.0, body_s=20.0, **options):
        goes_on = asyncio.Event()

        async def page(request):
            return web.json_response({"bytes": len(await request.read())})

        async def slow(request):
            await goes_on.wait()
            return web.json_response({})

        app = web.Application(middlewares=middlewares([], Hosts(()), body_s))
        app.router.add_route("*", "/page", page)
        app.router.add_get("/slow", slow)
        runner = BoundedRunner(app, access_log=None, shutdown_timeout=0.1, **{"keepalive_timeout": 60.0, **options})
        runner.bound, runner.long_s = BOUND, long_s
        await runner.setup()
        site = TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield runner.addresses[0][1], goes_on
        finally:
            goes_on.set()
            await runner.cleanup()

    return serving


@asynccontextmanager
async def sockets(port, number, text=b""):
    """So many connections that send this and then nothing."""
    opened = []
    try:
        for _ in range(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            await writer.drain()
            opened.append((reader, writer))
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)


async def asked(port, **options):
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/page", **options) as answer:
        return answer.status


@pytest.mark.parametrize(
    "text", [b"", b"GET /page HTTP/1.1\r\nHost: 127", b"POST /page HTTP/1.1\r\nContent-Length: 9\r\n"]
)
async def test_a_request_gets_through_however_many_connections_are_idle(serve, text):
    async with serve() as (port, _), sockets(port, 6 * BOUND, text) as opened:
        assert await asked(port) == 200
        closed = await asyncio.gather(*(asyncio.wait_for(reader.read(), 60) for reader, _ in opened[: 4 * BOUND]),
                                      return_exceptions=True)  # fmt: skip
        assert all(one == b"" or isinstance(one, ConnectionError) for one in closed)


async def test_who_is_answered_is_not_closed_for_who_is_idle(serve):
    async with serve() as (port, goes_on), ClientSession() as session:
        asking = asyncio.create_task(session.get(f"http://127.0.0.1:{port}/slow"))
        await asyncio.sleep(0.05)
        async with sockets(port, 3 * BOUND):
            goes_on.set()
            assert (await asking).status == 200


async def test_long_answers_make_room_for_others(serve):
    async with serve(long_s=0.0) as (port, _), sockets(port, BOUND, b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        await asyncio.sleep(0.05)
        assert await asked(port) == 200


async def test_headers_that_do_not_come_end_the_connection(serve):
    async with serve(keepalive_timeout=0.05) as (port, _):
        for text in (b"", b"GET /page HTTP/1.1\r\nX-Slow: "):
            async with sockets(port, 1, text) as [(reader, _)]:
                assert await asyncio.wait_for(reader.read(), 60) == b""


async def test_a_body_that_does_not_come_is_refused(serve):
    text = b"POST /page HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nabc"
    async with serve(body_s=0.05) as (port, _), sockets(port, 1, text) as [(reader, _)]:
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 60)


@pytest.mark.parametrize(
    "text",
    [b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /page HTTP/9.9\r\n\r\n",
     b"GET /page HTTP/1.1\r\nHost: a\r\n bad\r\n\r\n",
     b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n",
     b"POST /page HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n"],
)  # fmt: skip
async def test_what_is_no_http_gets_our_headers_and_no_trace(serve, text, caplog):
    async with serve() as (port, _), sockets(port, 1, text + b"\r\n\r\n") as [(reader, _)]:
        answer = (await asyncio.wait_for(reader.read(), 60)).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert " 400 " in head.splitlines()[0]
    assert all(f"{name}: {value}" in head for name, value in HEADERS.items())
    assert '"error": "bad request"' in body
    assert "Traceback" not in answer + caplog.text


def test_the_bound_is_what_the_process_can_afford():
    for soft, bound in ((1024, 256), (256, 64), (16, 8), (server.resource.RLIM_INFINITY, 256)):
        assert server.max_connections(soft) == bound
