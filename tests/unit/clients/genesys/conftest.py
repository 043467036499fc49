"""Fixtures of the Genesys client's tests: a clock that never waits and a REST client on a scripted server."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import structlog
from pydantic import SecretStr

from clients.genesys.observer import Observer
from clients.genesys.rest import GenesysRest
from clients.genesys.waiting import Clock


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
