"""This module reads the queue that Genesys' own EventBridge integration fills.

Every worker with the role reads: SQS shares the messages out. One is deleted when `raw` has its event, or `failures`
what is none.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import count
from typing import Any

import structlog

from clients.aws.answers import NoAnswerError
from clients.aws.client import AwsConfigurationError, open_client
from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage, region_of
from clients.aws.sqs_source import VISIBILITY_S, WAIT_S, SqsSource, line_of
from clients.genesys.notifications.gap_healer import GapReport
from processors.delivery.retry import outage_backoff
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
        timeout = WAIT_S + ANSWER_S
        async with AsyncExitStack() as stack:
            client = await self._client(stack, timeout)
            queue = QueueReceiver(client, self._url, visibility_s=VISIBILITY_S, wait_s=WAIT_S)
            source = SqsSource(queue, on_trouble=self._on_trouble)
            taken: list[ReceivedMessage] = []
            yield OpenSource(self._lines(source, taken), settled=lambda: source.settled(taken))

    async def _client(self, stack: AsyncExitStack, timeout: float) -> Any:
        """The client, as soon as credentials can be had; a setting that is wrong by now was right at the start."""
        for attempt in count():
            opening = open_client(self._settings, "sqs", region=region_of(self._url), read_timeout=timeout)
            try:
                return await stack.enter_async_context(opening)
            except (AwsConfigurationError, NoAnswerError) as error:
                self._on_trouble(str(error))
                await asyncio.sleep(outage_backoff(attempt, random.random()))

    async def _lines(self, source: SqsSource, taken: list[ReceivedMessage]) -> AsyncGenerator[list[Line], None]:
        async with aclosing(source.batches()) as batches:
            async for messages in batches:
                taken[:] = messages
                yield [line_of(message, self._settings.max_line_bytes) for message in messages]
