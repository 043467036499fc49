"""This module gives the emulator's tests an authorised client, readers of the stream, and a way to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from emulators.genesys import GenesysEmulator

SUBSCRIPTION = {
    "name": "pipeline",
    "description": "all interactions",
    "resourceTypes": ["interaction"],
    "eventTypes": ["*"],
    "filters": [],
}
PATIENCE_SECONDS = 60


@dataclass
class Reader:
    """Reads one subscription over as many connections as it takes; keeps lines and events apart."""

    client: httpx.AsyncClient
    subscription_id: str
    lines: list[bytes] = field(default_factory=list)
    tails: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def path(self) -> str:
        return f"/api/v2/events/subscriptions/{self.subscription_id}/events"

    def events(self) -> list[dict[str, Any]]:
        """Every JSON object of the lines that are JSON, arrays unpacked."""
        found: list[dict[str, Any]] = []
        for line in self.lines:
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            found += value if isinstance(value, list) else [value]
        return [one for one in found if "id" in one]

    def ids(self) -> list[object]:
        return [event["id"] for event in self.events()]

    async def read(self, until: Callable[[], bool]) -> None:
        """Reconnect after every end until the condition holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not until():
                await self.connection(until)

    async def connection(self, until: Callable[[], bool] = lambda: False) -> None:
        """One connection, to its end or until the condition holds; what has no newline goes to `tails`."""
        self.connections += 1
        tail = b""
        try:
            async with self.client.stream("GET", self.path) as response:
                response.raise_for_status()
                async for data in response.aiter_raw():
                    *lines, tail = (tail + data).split(b"\n")
                    self.lines += [line for line in lines if line.strip()]
                    if until():
                        return
        except httpx.RemoteProtocolError:
            pass  # a cut is what the emulator is for; the lines so far stand
        self.tails.append(tail)


@asynccontextmanager
async def authorised(genesys: GenesysEmulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token of its own."""
    # no certificates are loaded for plain HTTP: that would be most of a test's time
    async with httpx.AsyncClient(base_url=genesys.url, timeout=PATIENCE_SECONDS, verify=False) as client:
        answer = await client.post(
            "/oauth/token",
            auth=(genesys.client_id, genesys.client_secret),
            data={"grant_type": "client_credentials"},
        )
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@asynccontextmanager
async def reading(genesys: GenesysEmulator, **changes: object) -> AsyncIterator[Reader]:
    """A reader of a new subscription."""
    async with authorised(genesys) as client:
        ident = str(uuid4())
        body = SUBSCRIPTION | {"id": ident} | changes
        (await client.post("/api/v2/events/subscriptions", json=body)).raise_for_status()
        yield Reader(client, ident)


async def wait_until(condition: Callable[[], bool]) -> None:
    """Look again at every turn of the loop, with a limit that only a failing test meets."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is inside the emulator, which tells nobody
            await asyncio.sleep(0.005)


@pytest.fixture
def sign_in() -> Callable[[GenesysEmulator], Any]:
    return authorised


@pytest.fixture
def read_stream() -> Callable[..., Any]:
    return reading


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    return wait_until
