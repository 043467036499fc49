"""This module opens what publishes, for the sink and for those who look after its buses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from clients.aws.events.eventbridge import EventBridge
from clients.aws.events.pace import paced
from clients.aws.events.publisher import Publisher
from processors.delivery.refusals import RefusalLimits
from processors.metrics.counts import Counts
from settings import Settings
from streams.exit import die
from streams.health import Health

#: The part that health names.
PART = "eventbridge"


class RequestMetrics(Protocol):
    """Who measures the requests (streams/worker/exporter.py)."""

    def ended(self, bus: str, entries: int, seconds: float) -> None: ...
    def retried(self, code: str) -> None: ...


class Buses:
    """The buses that events go to. `client` gives that of EventBridge, and waits while there are no credentials;
    `may_send` returns when a request may be made.

    `unseen`: bus → why it could not be looked at when the worker started; nothing is put on it until it was.
    """

    bridge: EventBridge

    def __init__(
        self,
        settings: Settings,
        health: Health,
        counts: Counts,
        client: Callable[[], Awaitable[Any]],
        measures: RequestMetrics,
        may_send: Callable[[], Awaitable[None]],
    ) -> None:
        self._measures, self._may_send = measures, may_send
        self._settings, self._health, self._counts, self._client = settings, health, counts, client
        self._publisher: Publisher | None = None
        self._opening = asyncio.Lock()
        self.unseen: dict[str, str] = {}

    async def open(self) -> Publisher:
        """What publishes as the settings say; opened once, as its client belongs to the app's event loop."""
        async with self._opening:
            if self._publisher is None:
                settings = self._settings
                self.bridge = EventBridge(await self._client())
                self._publisher = Publisher(
                    paced(self.bridge.put, settings.put_events_rate),
                    max_bytes=settings.eventbridge_request_bytes,
                    linger_s=settings.eventbridge_linger_ms / 1000,
                    in_flight=settings.eventbridge_in_flight,
                    max_retries=settings.max_retries,
                    limits=RefusalLimits(settings.flood_share, settings.flood_min, settings.flood_window),
                    on_trouble=self._health.observer(PART),
                    on_retry=self._retried,
                    on_bug=partial(die, "publishing"),
                    may_send=self._may_send,
                    on_request=self._measures.ended,
                )
                for bus, reason in self.unseen.items():
                    self._publisher.gone(bus, reason)
            return self._publisher

    @property
    def in_flight(self) -> int:
        """PutEvents requests under way."""
        return self._publisher.in_flight if self._publisher is not None else 0

    def _retried(self, code: str) -> None:
        self._counts.add("retries")
        self._measures.retried(code)

    def resume(self) -> bool:
        """Let entries fail that were held back as too many were refused; gives whether there were any."""
        return self._publisher is not None and self._publisher.resume()
