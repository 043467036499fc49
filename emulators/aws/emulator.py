"""This module is the emulated AWS as one server, with its control interface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from emulators.aws.control import Control
from emulators.aws.events.put_events import BYTES
from emulators.aws.faults import Faults
from emulators.aws.front import Front
from emulators.aws.state import AccountState

ACCOUNT = "123456789012"
REGION = "us-east-1"
HTTP_BYTES = 8 * 1024 * 1024
"""What the front takes as one HTTP body; the true figure is not documented, only that it answers 413."""


class AWSEmulator:
    """`async with AWSEmulator() as aws:` serves on `aws.url` until the block ends.

    The bus `default` always exists. `limit_bytes` is what the entries of a PutEvents request must stay below,
    `clock` gives epoch seconds. `state` is for tests in the same loop; others use `/_emulator/`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        faults: Faults | None = None,
        buses: Iterable[str] = ("default",),
        queues: Iterable[str] = (),
        limit_bytes: int = BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = AccountState(ACCOUNT, REGION, buses, faults or Faults(), clock)
        for name in queues:
            self.state.queues.add(name)
        self._host, self._port, self._limit_bytes = host, port, limit_bytes
        self._front: Front | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """Endpoint of all services, without a slash at the end; the port is known once it serves."""
        return f"http://{self._host}:{self._port}"

    @property
    def faults(self) -> Faults:
        return self.state.active.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.state.active.replace(faults)

    async def __aenter__(self) -> Self:
        self._front = Front(self.state, self._limit_bytes, Control(self.state))
        server = web.Server(self._front.handle, request_factory=_request, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.state.queues.base_url = self.url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._front is not None:
            self._front.released.set()
        if self._runner is not None:
            await self._runner.cleanup()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=HTTP_BYTES)
