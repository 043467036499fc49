"""Fixtures of the Genesys client's tests: a clock that never waits, scripted servers, a listener."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import httpx
import pytest
import structlog
from pydantic import SecretStr

from clients.genesys.notifications.gap_healer import GapTimes
from clients.genesys.notifications.source import NotificationSource
from clients.genesys.rest.backoff import Clock
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.observer import Observer
from emulators.genesys import GenesysEmulator
from processors.event.lines import OversizedLine
from settings import Settings
from tests.unit.clients.genesys import unpacking

#: For tests on real sockets: the law of the times themselves is tested on a clock that the test moves.
QUICK = GapTimes(passes=(0.1, 0.2), margin_ms=200, under_way_ms=200)


class FakeTime:
    """Time that passes only by sleeping; `sleeps` remembers each wait above zero."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.sleeps: list[float] = []
        self.chance = 1.0

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(
            now=lambda: self.now,
            wall=lambda: 1_763_900_000.0 + self.now,
            sleep=self.sleep,
            chance=lambda: self.chance,
        )


class Server:
    """A scripted Genesys: answers in order, then the last one again; the login grants token-1, token-2."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]] = []
        self.login_answers: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []
        self.logins: list[httpx.Request] = []
        self.expires_in = 86_400

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            self.logins.append(request)
            if self.login_answers:
                return self._play(self.login_answers.pop(0), request)
            body = {"access_token": f"token-{len(self.logins)}", "expires_in": self.expires_in}
            return httpx.Response(200, json={**body, "token_type": "bearer"})
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return self._play(answer, request)

    def _play(self, answer, request):
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def tokens(self) -> list[str]:
        """The bearer tokens that the calls used, in order."""
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.requests]


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def troubles() -> list[str | None]:
    return []


@pytest.fixture
def observer(troubles) -> Observer:
    return Observer(on_trouble=troubles.append)


@pytest.fixture
async def rest(server, fake_time, observer) -> AsyncIterator[GenesysRest]:
    async with GenesysRest(
        "https://api.example.test",
        "https://login.example.test",
        "client",
        SecretStr("very-secret"),
        observer=observer,
        clock=fake_time.clock(),
        transport=httpx.MockTransport(server),
    ) as client:
        yield client


@pytest.fixture
def until():
    """Wait until a condition holds, without waiting for time."""

    async def wait(condition: Callable[[], object]) -> None:
        for _ in range(100_000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("the condition never came true")

    return wait


@pytest.fixture
def logged():
    with structlog.testing.capture_logs() as entries:
        yield entries


async def eventually(condition, seconds=60.0):
    """Wait for a condition that other tasks bring about over real sockets."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition never came true")


class Listener:
    """A source on an emulator, read by a task; `lines` are what it gave."""

    def __init__(self, emulator, **settings) -> None:
        self.emulator = emulator
        self.observer = Observer()
        self.rest = GenesysRest(
            emulator.url,
            emulator.url,
            emulator.client_id,
            SecretStr(emulator.client_secret),
            observer=self.observer,
        )
        defaults = {"genesys_heartbeat_timeout": 5.0, "genesys_channel_overlap": 0.2, "genesys_events": ["snapshots"]}
        self.settings = Settings(**(defaults | settings))
        self.lines: list[bytes | OversizedLine] = []
        self.reports = []
        self.source: NotificationSource
        self.task: asyncio.Task[None]

    def listen(self, shard=0, shards=1, **options):
        self.source = NotificationSource(self.rest, self.settings, shard, shards, self._on_gap, times=QUICK, **options)
        self.task = asyncio.create_task(self._read())
        return self

    async def _on_gap(self, report):
        self.reports.append(report)

    async def _read(self):
        async with aclosing(unpacking.lines(self.source)) as frames:
            async for line in frames:
                self.lines.append(line)

    async def close(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.rest.aclose()

    @property
    def events(self):
        return [json.loads(line) for line in self.lines if isinstance(line, bytes) and line.startswith(b"{")]

    @property
    def channels(self):
        return self.emulator.notifications.as_json()["channels"]

    @property
    def sockets(self):
        return self.emulator.notifications.as_json()["sockets"]

    async def ready(self, sockets=1):
        await eventually(lambda: self.sockets == sockets or self.task.done())
        assert not self.task.done(), self.task.exception()

    def say(self, topic, body):
        assert self.emulator.notifications.emit_notification(topic, body) >= 1

    def queue_topic(self, number=0):
        return f"v2.routing.queues.{list(self.emulator.notifications.directory.queues)[number]}.conversations"

    def states(self):
        return [report.state for report in self.reports]

    @staticmethod
    def snapshot(conversation, *states):
        """A queue snapshot's body: one agent for each state."""
        participants = [
            {"id": f"p{number}", "purpose": "agent", "calls": [{"state": state}]} for number, state in enumerate(states)
        ]
        return {"id": conversation, "participants": participants}


@pytest.fixture
async def emulator():
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, api_limit=10_000) as running:
        yield running


@pytest.fixture
async def start():
    started = []

    def begin(emulator, shard=0, shards=1, options=None, **settings):
        listener = Listener(emulator, **settings).listen(shard, shards, **(options or {}))
        started.append(listener)
        return listener

    yield begin
    for listener in started:
        await listener.close()


@pytest.fixture
async def idle_listener(emulator):
    """A listener that does not read by itself."""
    listener = Listener(emulator)
    yield listener
    await listener.rest.aclose()


@pytest.fixture(name="eventually")
def eventually_fixture():
    return eventually
