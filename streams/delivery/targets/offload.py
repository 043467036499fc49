"""This module takes what is too large for a bus by S3: the detail goes there first, a claim check onto the bus.

An outage of S3, or a right that is missing, is nobody's event's fault: the event waits, and its offset with it. The
name of the object is the event's id, so an attempt that is repeated writes the same again. Events behind it with the
same key wait, so that they stay in order.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from clients.aws.answers import AWS_ERRORS, error_code, reason
from clients.aws.outage import outlast
from processors.delivery.refusals import remedy
from streams.exit import die

#: The part that health names.
PART = "offload"

Trouble = Callable[[str | None], None]
Work = Callable[[], Awaitable[None]]


def _die(error: BaseException) -> object:
    return die(PART, error)


class ClaimChecks:
    """`client` gives that of S3. `trouble` hears why nothing can be put there, and None when it can again."""

    def __init__(
        self,
        client: Callable[[], Awaitable[Any]],
        trouble: Trouble,
        *,
        on_bug: Callable[[BaseException], object] = _die,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client, self._trouble, self._on_bug, self._chance = client, trouble, on_bug, chance
        self._keys: dict[str, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def holds(self, key: str) -> bool:
        """Whether an event of that key is on its way to S3: what comes after it has to go behind it."""
        return key in self._keys

    def put(self, key: str, work: Work) -> None:
        """Do the work after that of the same key which came before."""
        if key in self._keys:
            self._keys[key].append(work)
            return
        self._keys[key] = deque([work])
        task = asyncio.create_task(self._drain(key))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def store(self, bucket: str, key: str, body: bytes) -> None:
        """Return when the object is there."""

        async def put() -> None:
            client = await self._client()
            await client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")

        def words(error: Exception) -> str:
            fix = remedy(error_code(error), f"s3:PutObject on {bucket}", f"create the bucket {bucket}")
            return f"bucket {bucket}: {reason(error)}; {fix}"

        await outlast(put, AWS_ERRORS, self._trouble, words=words, chance=self._chance)

    async def _drain(self, key: str) -> None:
        waiting = self._keys[key]
        while waiting:
            await waiting[0]()
            waiting.popleft()
        del self._keys[key]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_bug(error)
