"""This module opens the dead-letter queue, for the failures stage and for those who look after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from clients.aws.answers import AWS_ERRORS, reason
from clients.aws.sqs_sender import QueueSender
from streams.health import Health

log = structlog.get_logger(__name__)

#: The part that health names.
PART = "sqs"


class DeadLetterQueue:
    """The queue by its URL, if there is one. `client` gives that of SQS, and waits while there are no credentials."""

    def __init__(self, url: str | None, health: Health, client: Callable[[], Awaitable[Any]]) -> None:
        self._url, self._health, self._client = url, health, client
        self._queue: QueueSender | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> QueueSender | None:
        """The queue with its limits read; None when the settings name none: failures stay in Kafka alone then."""
        if self._url is None:
            return None
        async with self._opening:
            if self._queue is None:
                queue = QueueSender(await self._client(), self._url, on_trouble=self._health.observer(PART))
                await read_limits(queue)
                self._queue = queue
            return self._queue


async def read_limits(queue: QueueSender) -> None:
    """Ask the queue for its limits anew; those known stay where it does not answer, as what is sent waits then."""
    try:
        await queue.describe()
    except AWS_ERRORS as error:
        log.warning("the queue's limits are not known", reason=reason(error))
