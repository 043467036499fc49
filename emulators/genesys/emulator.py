"""This module is the emulated Genesys Cloud as one server: login, HTTP stream, notifications, control."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

from emulators.genesys.access.gate import add_headers
from emulators.genesys.control import Control
from emulators.genesys.organisation import Organisation

REQUEST_BYTES = 512_000
"""`request.bytes.max` of Genesys Cloud."""


class GenesysEmulator(Organisation):
    """`async with GenesysEmulator() as genesys:` serves on `genesys.url` until the block ends.

    `rate` is events per second (0 = as fast as they are read), `count` ends production (None = never),
    `token_seconds` is the life of tokens, `token_limit` the token requests a minute (None = unlimited;
    Genesys allows 300), `api_limit` the requests a token may make in `api_window_seconds`.
    Of the notification sockets, `conversation_rate` is new conversations a second (None = a tenth of `rate`,
    each has some dozen events), `pace` stretches their durations, `heartbeat_seconds` is 30 in Genesys Cloud,
    `permissions` are those of the client; `event_queue` is the URL of an SQS queue that gets the detail events,
    as by the EventBridge integration.
    """

    _runner: web.AppRunner | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self.gate.middleware], client_max_size=REQUEST_BYTES)
        application.on_response_prepare.append(add_headers)
        for part in (self.login, self.streaming, self.notifications, Control(self)):
            application.add_routes(part.routes())
        self._runner = web.AppRunner(application, shutdown_timeout=2.0, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._tasks = (
            asyncio.create_task(self.production.run(), name="genesys-production"),
            asyncio.create_task(self.notifications.run(), name="genesys-notifications"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.streaming.cut("server stopped")
        self.notifications.cut("server stopped")
        if self._runner is not None:
            await self._runner.cleanup()
