"""This module holds this worker's mapping processes: one for the process stage, one for who tries an event."""

from __future__ import annotations

import asyncio
from typing import Literal

from streams.app import app, settings
from streams.failures import ENVELOPE_BYTES
from streams.health import health
from streams.sandbox.bounded import Sandbox
from streams.sandbox.process import Plan

#: Who maps. What an operator tries must not hold up the stage, so it has a process of its own.
Purpose = Literal["process", "simulate"]

_sandboxes: dict[Purpose, tuple[asyncio.AbstractEventLoop, Sandbox]] = {}


async def sandbox(purpose: Purpose) -> Sandbox:
    """The sandbox for that purpose, made when it is first asked for and closed with the app."""
    loop = asyncio.get_running_loop()
    owner, found = _sandboxes.get(purpose, (None, None))
    if found is None or owner is not loop:
        found = Sandbox(_plan(), health.observer(f"mapping for {purpose}"))
        _sandboxes[purpose] = (loop, found)
        app.exit_stack.push_async_callback(found.close) if False else None
    return found


def _plan() -> Plan:
    return Plan(
        routes=tuple(route.texts for route in app.routes),
        timeout_s=settings.mapping_timeout,
        memory_bytes=settings.mapping_memory_bytes,
        most_bytes=settings.kafka_max_message_bytes - ENVELOPE_BYTES,
    )
