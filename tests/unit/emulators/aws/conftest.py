"""This module gives the tests an emulator, a clock that they move, and real clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aioboto3
import pytest
from botocore.config import Config

from emulators.aws import AWSEmulator

SESSION = aioboto3.Session(aws_access_key_id="test-key", aws_secret_access_key="test-secret", region_name="eu-west-1")
"""One for all tests: it keeps the service models that it has read."""


class Clock:
    """Epoch seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Clients:
    """`await clients("sqs")` is a client of the emulator that makes one attempt."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def __call__(self, service: str, url: str, *, read_timeout: float = 10.0, **options: Any) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            read_timeout=read_timeout,
            parameter_validation=options.pop("parameter_validation", True),
        )
        client = SESSION.client(service, endpoint_url=url, config=config, **options)
        return await self._stack.enter_async_context(client)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def aws(clock: Clock) -> AsyncIterator[AWSEmulator]:
    async with AWSEmulator(buses=["orders"], queues=["failures", "failures.fifo"], clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(stack)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """`await until(condition)`, for what the emulator tells nobody of."""

    async def waited(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)

    return waited


@pytest.fixture
async def events(aws: AWSEmulator, clients: Clients) -> Any:
    return await clients("events", aws.url)


@pytest.fixture
async def sqs(aws: AWSEmulator, clients: Clients) -> Any:
    return await clients("sqs", aws.url)


@pytest.fixture
async def cloudwatch(aws: AWSEmulator, clients: Clients) -> Any:
    return await clients("cloudwatch", aws.url)
