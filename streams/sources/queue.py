"""This module reads the queue that Genesys' own EventBridge integration fills.

Every worker with the role reads: SQS shares the messages out. One is deleted when `raw` has its event, or `failures`
what is none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import structlog

from clients.aws.answers import NOT_OPENED
from clients.aws.client import open_client
from clients.aws.outage import outlast
from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage, region_of
from clients.aws.sqs_source import VISIBILITY_S, WAIT_S, SqsSource, line_of
from clients.genesys.notifications.gap_healer import GapReport
from processors.event.lines import Line
from settings import Settings
from streams.sources.genesys import OpenSource

log = structlog.get_logger(__name__)

#: Seconds that an answer may take beyond those that SQS waits for messages.
ANSWER_S = 10


class QueueSource:
    """The queue at `url`. `on_trouble` hears why it gives nothing, and None when it does again."""

    def __init__(self, settings: Settings, url: str, on_trouble: Callable[[str | None], None]) -> None:
        self._settings, self._url, self._on_trouble = settings, url, on_trouble

    @asynccontextmanager
    async def open(self, part: int, on_gap: Callable[[GapReport], Awaitable[None]]) -> AsyncIterator[OpenSource]:
        """Open the one part there is; a queue has no gaps."""
        log.info("source starts", source=self._settings.genesys_source)
        async with AsyncExitStack() as stack:
            client = await outlast(lambda: self._client(stack), NOT_OPENED, self._on_trouble)
            queue = QueueReceiver(client, self._url, visibility_s=VISIBILITY_S, wait_s=WAIT_S)
            source = SqsSource(queue, on_trouble=self._on_trouble)
            taken: list[ReceivedMessage] = []
            yield OpenSource(self._lines(source, taken), settled=lambda: source.settled(taken))

    async def _client(self, stack: AsyncExitStack) -> Any:
        opening = open_client(self._settings, "sqs", region=region_of(self._url), read_timeout=WAIT_S + ANSWER_S)
        return await stack.enter_async_context(opening)

    async def _lines(self, source: SqsSource, taken: list[ReceivedMessage]) -> AsyncGenerator[list[Line], None]:
        async with aclosing(source.batches()) as batches:
            async for messages in batches:
                taken[:] = messages
                yield [line_of(message, self._settings.max_line_bytes) for message in messages]
