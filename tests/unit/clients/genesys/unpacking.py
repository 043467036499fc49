"""This module gives what a source brings in lists one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from clients.genesys.notifications.source import NotificationSource
from clients.genesys.subscription import SubscriptionStream
from processors.event.lines import Line


async def lines(source: NotificationSource | SubscriptionStream) -> AsyncGenerator[Line, None]:
    """Each line of the source's batches, for ever."""
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            for line in batch:
                yield line
