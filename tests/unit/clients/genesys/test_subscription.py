"""Tests of the HTTP event stream, against a scripted server on a loopback socket."""

import asyncio
import json
import uuid
from contextlib import aclosing

import pytest
from aiohttp import web
from pydantic import SecretStr

from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysRequestError, PermissionMissingError
from clients.genesys.rest.observer import Observer
from clients.genesys.subscription import SubscriptionStream
from processors.event.lines import OversizedLine
from settings import Settings
from tests.unit.clients.genesys import unpacking

CUT = object()  # the connection ends without the end of the body
SILENT = object()  # nothing more comes, and the connection stays


class EventServer:
    """Plays one script for each connection: bytes to write, CUT, SILENT, or a status to answer with."""

    def __init__(self) -> None:
        self.scripts = []
        self.create_status = [200]
        self.created = []
        self.connections = 0
        self.written = 0
        self.let_go = asyncio.Event()

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/oauth/token", self.login)
        application.router.add_post("/api/v2/events/subscriptions", self.create)
        application.router.add_get("/api/v2/events/subscriptions/{id}/events", self.events)
        return application

    async def login(self, request):
        return web.json_response({"access_token": "token", "expires_in": 86_400})

    async def create(self, request):
        self.created.append(await request.json())
        status = self.create_status.pop(0) if len(self.create_status) > 1 else self.create_status[0]
        return web.json_response({"code": "scripted", "message": "scripted"}, status=status)

    async def events(self, request):
        assert request.match_info["id"] == self.created[-1]["id"]
        script = self.scripts[self.connections] if self.connections < len(self.scripts) else [SILENT]
        self.connections += 1
        if isinstance(script, int):
            return web.json_response({"code": "scripted", "message": "scripted"}, status=script)
        response = web.StreamResponse()
        await response.prepare(request)
        for step in script:
            if step is CUT:
                request.transport.close()
                return response
            if step is SILENT:
                await self.let_go.wait()
            else:
                await response.write(step)
                self.written += len(step)
        return response


@pytest.fixture
async def event_server():
    server = EventServer()
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    server.let_go.set()
    await runner.cleanup()


@pytest.fixture
async def event_rest(event_server, fake_time):
    url = event_server.url
    async with GenesysRest(
        url, url, "client", SecretStr("secret"), observer=Observer(), clock=fake_time.clock()
    ) as rest:
        yield rest


def stream(rest, idle_timeout=30.0, max_line_bytes=1_000):
    return SubscriptionStream(
        rest,
        name="pipeline",
        resource_types=("interaction",),
        event_types=("created", "ended"),
        idle_timeout=idle_timeout,
        max_line_bytes=max_line_bytes,
    )


async def take(source, count):
    """The first `count` lines."""
    taken = []
    async with aclosing(unpacking.lines(source)) as lines:
        async for line in lines:
            taken.append(line)
            if len(taken) == count:
                break
    return taken


async def test_the_subscription_is_created_as_documented(event_server, event_rest):
    event_server.scripts = [[b'{"id":1}\n', SILENT]]
    source = stream(event_rest)
    await take(source, 1)
    (body,) = event_server.created
    assert uuid.UUID(body.pop("id")) == uuid.UUID(source.subscription_id)
    assert isinstance(body.pop("description"), str)
    assert body == {
        "name": "pipeline",
        "resourceTypes": ["interaction"],
        "eventTypes": ["created", "ended"],
        "filters": [],
    }


async def test_the_id_is_the_same_after_a_restart_and_another_for_another_name(event_rest):
    settings = Settings(genesys_client_id="client", genesys_client_secret="secret")
    again = SubscriptionStream.from_settings(event_rest, settings)
    assert again.subscription_id == SubscriptionStream.from_settings(event_rest, settings).subscription_id
    assert again.subscription_id != stream(event_rest).subscription_id


async def test_an_existing_subscription_is_used(event_server, event_rest):
    event_server.create_status = [409]
    event_server.scripts = [[b'{"id":1}\n', SILENT]]
    assert await take(stream(event_rest), 1) == [b'{"id":1}']


@pytest.mark.parametrize(("status", "error"), [(400, GenesysRequestError), (403, PermissionMissingError)])
async def test_a_refused_subscription_ends_the_stream_with_the_reason(event_server, event_rest, status, error):
    event_server.create_status = [status]
    with pytest.raises(error):
        await take(stream(event_rest), 1)


async def test_a_refused_stream_ends_with_the_reason(event_server, event_rest):
    event_server.scripts = [403]
    with pytest.raises(PermissionMissingError):
        await take(stream(event_rest), 1)


async def test_lines_are_whole_wherever_the_network_cuts(event_server, event_rest):
    body = b'{"id":"\xc3\xa9"}\r\n\n{"id":2}\n[{"id":3}]\n'
    event_server.scripts = [[*(body[at : at + 1] for at in range(len(body))), SILENT]]
    assert await take(stream(event_rest), 3) == ['{"id":"é"}'.encode(), b'{"id":2}', b'[{"id":3}]']


async def test_a_huge_line_is_told_and_the_stream_goes_on(event_server, event_rest):
    event_server.scripts = [[b"x" * 5_000_000 + b"\n", b'{"id":2}\n', SILENT]]
    huge, after = await take(stream(event_rest), 2)
    assert isinstance(huge, OversizedLine)
    assert (huge.size, after) == (5_000_000, b'{"id":2}')


async def test_reading_goes_on_over_every_kind_of_end(event_server, event_rest):
    event_server.scripts = [
        [b'{"id":1}\n', CUT],
        500,
        [b'{"id":2}\n'],
        429,
        [b'{"id":3}\n', CUT],
        [CUT],
        [b'{"id":4}\n', SILENT],
    ]
    lines = await take(stream(event_rest), 4)
    assert [json.loads(line)["id"] for line in lines] == [1, 2, 3, 4]
    assert event_rest.observer.counts["stream_reconnected"] == 4


async def test_half_a_line_at_a_cut_is_dropped_and_counted(event_server, event_rest, logged):
    event_server.scripts = [[b'{"id":1}\n{"id":', CUT], [b'{"id":2}\n', SILENT]]
    assert await take(stream(event_rest), 2) == [b'{"id":1}', b'{"id":2}']
    assert event_rest.observer.counts["half_line_dropped"] == 1
    assert [entry["bytes"] for entry in logged if entry["event"] == "genesys.stream.half_line"] == [6]


async def test_a_whole_object_at_a_cut_that_lacks_its_line_end_is_kept(event_server, event_rest):
    event_server.scripts = [[b'{"id":1}\n{"id":2}', CUT], [b'{"id":3}\n', SILENT]]
    assert await take(stream(event_rest), 3) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']


async def test_the_last_line_of_an_ended_stream_needs_no_line_end(event_server, event_rest):
    event_server.scripts = [[b'{"id":1}\nnot json'], [b'{"id":3}\n', SILENT]]
    assert await take(stream(event_rest), 3) == [b'{"id":1}', b"not json", b'{"id":3}']


async def test_a_lost_subscription_is_made_again(event_server, event_rest):
    event_server.scripts = [[b'{"id":1}\n', CUT], 404, [b'{"id":2}\n', SILENT]]
    assert len(await take(stream(event_rest), 2)) == 2
    assert len(event_server.created) == 2
    assert event_server.created[0] == event_server.created[1]


async def test_silence_over_the_limit_reconnects(event_server, event_rest):
    event_server.scripts = [[b'{"id":1}\n', SILENT], [b'{"id":2}\n', SILENT]]
    assert len(await take(stream(event_rest, idle_timeout=0.05), 2)) == 2
    assert event_server.connections == 2


async def test_a_consumer_that_does_not_pull_stops_the_server(event_server, event_rest, until):
    block = b'{"id":"' + b"x" * 980 + b'"}\n'
    event_server.scripts = [[block * 64] * 1_000]  # 63 MB
    async with aclosing(unpacking.lines(stream(event_rest))) as lines:
        assert await anext(lines) == block[:-1]
        settled = -1
        while settled != event_server.written:
            settled = event_server.written
            await asyncio.sleep(0.05)  # a pause without progress: the sockets' buffers are full
        assert event_server.written < 32_000_000


async def test_waits_grow_until_data_comes_and_health_tells(event_server, event_rest, fake_time):
    troubles = []
    event_rest.observer._on_trouble = troubles.append
    event_server.scripts = [[CUT]] * 4 + [[b'{"id":1}\n', CUT], [b'{"id":2}\n', SILENT]]
    await take(stream(event_rest), 2)
    assert fake_time.sleeps == [0.5, 1, 2, 4, 0.5]
    assert troubles[0].startswith("event stream: ")
    assert troubles[-1] is None
