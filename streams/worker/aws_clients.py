"""This module opens the clients for AWS that a worker calls: one for each service, when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from clients.aws.answers import NOT_OPENED
from clients.aws.client import open_client
from clients.aws.events.custom_bus import open_buses
from clients.aws.outage import outlast
from processors.routes.target import Target
from settings import Settings
from streams.health import Health

Enter = Callable[[AbstractAsyncContextManager[Any]], Awaitable[Any]]


class AwsClients:
    """`enter` opens a client for as long as the worker lives.

    `targets`: bus → how it is reached, by the routes of now.
    """

    def __init__(
        self,
        settings: Settings,
        health: Health,
        enter: Enter,
        targets: Callable[[], Mapping[str, Target]] = dict,
    ) -> None:
        self._targets = targets
        self._settings, self._health, self._enter = settings, health, enter
        self._clients: dict[str, Any] = {}
        self._opening = asyncio.Lock()

    async def open(self, service: str) -> Any:
        """The client for a service."""
        async with self._opening:
            if service not in self._clients:
                is_bus = service == "events"
                opening = open_buses(self._settings, self._targets) if is_bus else open_client(self._settings, service)
                self._clients[service] = await self._enter(opening)
            return self._clients[service]

    async def when_possible(self, service: str, part: str) -> Any:
        """The client as soon as credentials can be had; health hears of the part why not yet."""
        return await outlast(lambda: self.open(service), NOT_OPENED, self._health.observer(part))
