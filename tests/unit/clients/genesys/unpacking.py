"""This module gives what a source brings in lists one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson

from clients.genesys.notifications.source import NotificationSource
from clients.genesys.subscription import SubscriptionStream
from processors.event.identity import derive_event_id
from processors.event.lines import Line, ParsedLine, SourceLine


async def lines(source: NotificationSource | SubscriptionStream) -> AsyncGenerator[Line, None]:
    """Each line of the source's batches, for ever."""
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            for line in batch:
                yield unparsed(line)


def unparsed(line: SourceLine) -> Line:
    """The line as it came. Of one that was parsed, event and id must be what its bytes say."""
    if not isinstance(line, ParsedLine):
        return line
    assert orjson.loads(line.value) == line.event
    assert derive_event_id(line.event) == line.event_id
    return line.value
