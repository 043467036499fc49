"""Tests on a server that shares nothing with the emulator: the least that Genesys documents, and some oddities."""

import asyncio
import json
from contextlib import aclosing

import pytest
from aiohttp import WSMsgType, web
from pydantic import SecretStr

from clients.genesys.notifications.gap_healer import GapTimes
from clients.genesys.notifications.source import NotificationSource
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.observer import Observer
from settings import Settings
from tests.unit.clients.genesys import unpacking

QUEUE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
TOPIC = f"v2.routing.queues.{QUEUE}.conversations"


class Server:
    """No `availabletopics`, no HEAD, no `entities`, no metadata, no answer to pings; pages of one queue."""

    def __init__(self) -> None:
        self.channels = 0
        self.subscribed: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.url = ""
        self.upgrade_status = 0
        self.asked: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/oauth/token", self.token),
                web.post("/api/v2/notifications/channels", self.create),
                web.put("/api/v2/notifications/channels/{id}/subscriptions", self.subscribe),
                web.delete("/api/v2/notifications/channels/{id}/subscriptions", self.subscribe),
                web.get("/api/v2/routing/queues", self.queues),
                web.post("/api/v2/analytics/conversations/details/query", self.query),
                web.get("/ws/{id}", self.socket),
            ]
        )
        return app

    async def token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "token_type": "Bearer", "expires_in": "3600"}, status=201)

    async def create(self, request: web.Request) -> web.Response:
        self.channels += 1
        uri = self.url.replace("http:", "ws:") + f"/ws/{self.channels}"
        headers = {"ININ-RATELIMIT-ALLOWED": "300.0", "ININ-RATELIMIT-COUNT": "1", "ININ-RATELIMIT-RESET": "60"}
        return web.json_response({"id": f"channel{self.channels}", "connectUri": uri}, status=201, headers=headers)

    async def subscribe(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else []
        self.subscribed = [one["id"] for one in body]
        return web.Response(status=200)

    async def queues(self, request: web.Request) -> web.Response:
        number = int(request.query["pageNumber"])
        entity = {
            "id": QUEUE if number == 2 else f"{number:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
            "name": f"Queue {number}",
        }
        return web.json_response({"entities": [entity], "pageCount": 2, "more": "fields"})

    async def query(self, request: web.Request) -> web.Response:
        self.asked.append((await request.json())["interval"])
        return web.json_response({})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.upgrade_status:
            return web.Response(status=self.upgrade_status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
        return socket

    async def say(self, frame: object) -> None:
        await self.sockets[-1].send_str(frame if isinstance(frame, str) else json.dumps(frame))


@pytest.fixture
async def server():
    server = Server()
    runner = web.AppRunner(server.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    for socket in server.sockets:
        await socket.close()
    await runner.cleanup()


@pytest.fixture
async def listening(server):
    """The lines that a source gave, its observer, and what it told of gaps."""
    observer, lines, reports = Observer(), [], []
    settings = Settings(genesys_events=["snapshots"], genesys_heartbeat_timeout=2.0, genesys_queue_refresh=60)

    async def on_gap(report):
        reports.append(report.state)

    async with GenesysRest(server.url, server.url, "id", SecretStr("secret"), observer=observer) as rest:
        source = NotificationSource(
            rest, settings, 0, 1, on_gap, times=GapTimes(passes=(0.1,), margin_ms=200, under_way_ms=200)
        )

        async def read():
            async with aclosing(unpacking.lines(source)) as frames:
                async for line in frames:
                    lines.append(line)

        task = asyncio.create_task(read())
        yield task, lines, observer, reports
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def snapshot(state):
    return {"id": "c-1", "participants": [{"id": "p", "purpose": "agent", "state": state, "extra": {"deep": []}}]}


async def test_events_without_version_and_metadata_are_heard_and_named(server, listening, eventually):
    task, lines, observer, _ = listening
    await eventually(lambda: server.sockets and TOPIC in server.subscribed)
    assert len(server.subscribed) == 2
    await server.say({"eventBody": snapshot("alerting"), "topicName": TOPIC})
    await server.say({"topicName": "channel.metadata"})
    await server.say({"message": "pong"})
    await server.say({"topicName": TOPIC, "eventBody": snapshot("connected"), "metadata": None, "more": 1})
    await eventually(lambda: len(lines) == 2)
    assert [json.loads(line)["queue"]["name"] for line in lines] == ["Queue 2"] * 2
    assert observer.counts["frame_dropped"] == 0
    assert not task.done()


async def test_heartbeats_alone_keep_a_socket_though_pings_are_not_answered(server, listening, eventually):
    _, lines, observer, reports = listening
    await eventually(lambda: server.sockets)
    for _ in range(5):
        await asyncio.sleep(0.7)
        await server.say({"topicName": "channel.metadata", "eventBody": {}})
    assert (len(server.sockets), reports, lines) == (1, [], [])
    assert observer.counts["socket_reconnected"] == 0


async def test_silence_is_a_gap_and_the_socket_is_opened_again(server, listening, eventually):
    _, _, observer, reports = listening
    await eventually(lambda: len(server.sockets) >= 2)
    assert server.channels == 1
    await eventually(lambda: "healed" in reports)
    assert observer.counts["gap_opened"] >= 1
    assert server.asked


async def test_a_channel_that_no_head_can_ask_for_is_replaced_when_it_stays_shut(server, listening, eventually):
    task, lines, _, _ = listening
    await eventually(lambda: server.sockets)
    server.upgrade_status = 503
    await server.sockets[-1].close(code=1001)
    await eventually(lambda: server.channels >= 2)
    server.upgrade_status = 0
    before = len(server.sockets)
    await eventually(lambda: len(server.sockets) > before)
    await server.say({"topicName": TOPIC, "eventBody": snapshot("connected")})
    await eventually(lambda: len(lines) == 1)
    assert not task.done()
