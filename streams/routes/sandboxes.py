"""This module holds this worker's mapping processes: for the stage, for who tries an event, for drafts of routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Self

from processors.event.headers import ENVELOPE_BYTES
from processors.routes.route import RouteTexts
from processors.routes.routes import Routes
from settings import Settings
from streams.health import Health
from streams.routes.sandbox.draft_runner import DraftLimits, DraftRunner
from streams.routes.sandbox.mapping_process import SandboxPlan
from streams.routes.sandbox.sandbox import Sandbox

#: Who maps. What an operator tries must not hold up the stage, so it has a process of its own.
Purpose = Literal["process", "simulate"]


class Sandboxes:
    """Sandboxes of the routes that are in use, made when first asked for; as a context they end with it."""

    def __init__(self, settings: Settings, routes: Callable[[], Routes], health: Health) -> None:
        self._settings, self._routes, self._health = settings, routes, health
        self._sandboxes: dict[Purpose, Sandbox] = {}
        most = settings.kafka_max_message_bytes - ENVELOPE_BYTES
        self.drafts = DraftRunner(DraftLimits(settings.mapping_timeout, settings.mapping_memory_bytes, most))

    def sandbox(self, purpose: Purpose) -> Sandbox:
        """The sandbox for that purpose."""
        if purpose not in self._sandboxes:
            self._sandboxes[purpose] = Sandbox(self._plan(), self._health.observer(f"mapping ({purpose})"))
        return self._sandboxes[purpose]

    def of(self, routes: Sequence[RouteTexts]) -> Sandbox:
        """A sandbox of other routes, for one who compares, and closes it; what breaks it shows in the outcomes."""
        return Sandbox(self._plan(routes), lambda reason: None)

    async def renew(self) -> None:
        """Have the routes that the app has now in use: whoever asks next gets a sandbox of these."""
        old = list(self._sandboxes.values())
        self._sandboxes.clear()
        for sandbox in old:
            await sandbox.retire()

    async def close(self) -> None:
        """End every mapping process; the next one asked for is new."""
        while self._sandboxes:
            _, ending = self._sandboxes.popitem()
            await ending.close()
        await self.drafts.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _plan(self, routes: Sequence[RouteTexts] | None = None) -> SandboxPlan:
        return SandboxPlan(
            routes=tuple([route.texts for route in self._routes()] if routes is None else routes),
            timeout_s=self._settings.mapping_timeout,
            memory_bytes=self._settings.mapping_memory_bytes,
            max_bytes=self._settings.kafka_max_message_bytes - ENVELOPE_BYTES,
        )
