"""This module opens the source that `GENESYS_SOURCE` names, as batches of lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from clients.genesys.observer import Observer
from clients.genesys.rest import GenesysRest
from clients.genesys.stream import SubscriptionStream
from processors.lines import Line
from streams.settings import Settings

Batches = AsyncGenerator[list[Line], None]


def parts(settings: Settings) -> int:
    """In how many parts the source is read, each by one worker at a time."""
    return settings.genesys_shards if settings.genesys_source == "notifications" else 1


@asynccontextmanager
async def open_source(
    settings: Settings, part: int, on_trouble: Callable[[str | None], None]
) -> AsyncIterator[Batches]:
    """Open one part of the source. `on_trouble` hears why Genesys gives nothing, and None when it does again.

    Raises SettingsError without credentials, and GenesysError when Genesys refuses for good.
    """
    settings.require_genesys()
    async with GenesysRest.from_settings(settings, observer=Observer(on_trouble)) as rest:
        yield SubscriptionStream.from_settings(rest, settings).batches()
