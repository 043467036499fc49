"""This module holds this worker's mapping processes: one for the stage, one for who tries an event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from processors.event.headers import ENVELOPE_BYTES
from streams.app import app, settings
from streams.health import health
from streams.routes.sandbox.mapping_process import SandboxPlan
from streams.routes.sandbox.sandbox import Sandbox

#: Who maps. What an operator tries must not hold up the stage, so it has a process of its own.
Purpose = Literal["process", "simulate"]

_sandboxes: dict[Purpose, Sandbox] = {}
_opened: list[bool] = []


async def sandbox(purpose: Purpose) -> Sandbox:
    """The sandbox for that purpose, made of the app's routes when first asked for; it ends with the app."""
    if not _opened:
        _opened.append(True)
        await app.add_async_context(_closing())
    if purpose not in _sandboxes:
        _sandboxes[purpose] = Sandbox(_plan(), health.observer(f"mapping ({purpose})"))
    return _sandboxes[purpose]


async def renew() -> None:
    """Have the routes that the app has now in use: whoever asks next gets a sandbox of these."""
    old = list(_sandboxes.values())
    _sandboxes.clear()
    for sandbox in old:
        await sandbox.retire()


async def close() -> None:
    """End every mapping process; the next one asked for is new."""
    while _sandboxes:
        _, ending = _sandboxes.popitem()
        await ending.close()


@asynccontextmanager
async def _closing() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await close()


def _plan() -> SandboxPlan:
    return SandboxPlan(
        routes=tuple(route.texts for route in app.routes),
        timeout_s=settings.mapping_timeout,
        memory_bytes=settings.mapping_memory_bytes,
        max_bytes=settings.kafka_max_message_bytes - ENVELOPE_BYTES,
    )
