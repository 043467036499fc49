"""This module publishes entries: batches them over all callers, keeps each key in order, retries.

One coroutine an entry, one dispatcher for all. Entries of different calls share requests, also when they are
sent again; an entry waits until the earlier ones with its key have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from clients.aws.eventbridge import Accepted, RefusedEntry, Result, Unanswered
from processors.delivery.entries import MAX_ENTRIES, Entry, cut
from processors.delivery.retry import backoff, is_retryable, outage_backoff

log = structlog.get_logger(__name__)

Put = Callable[[Sequence[Entry]], Awaitable[list[Result]]]
WaitingEntry = tuple[Entry, "asyncio.Future[Result]"]


class Publisher:
    """See the module. `max_bytes`: limit of one request; `linger_s`: how long an unfilled request waits.

    `on_trouble` hears why EventBridge does not answer, and None when it answers again; `on_retry` each retry.
    """

    def __init__(
        self,
        put: Put,
        *,
        max_bytes: int,
        linger_s: float,
        in_flight: int,
        max_retries: int,
        on_trouble: Callable[[str | None], None],
        on_retry: Callable[[], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._put = put
        self._max_bytes = max_bytes
        self._linger_s = linger_s
        self._slots = asyncio.Semaphore(in_flight)
        self._max_retries = max_retries
        self._on_trouble = on_trouble
        self._on_retry = on_retry
        self._chance = chance
        self._answered = asyncio.Event()
        self._waiting: deque[WaitingEntry] = deque()
        self._filled = asyncio.Event()
        self._full = asyncio.Event()
        self._last: dict[str, asyncio.Future[None]] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    async def publish(self, entry: Entry, key: str) -> Accepted | RefusedEntry:
        """Publish one entry: returns when EventBridge took it or it is refused for good.

        While EventBridge does not answer at all this waits; those attempts do not count as retries.
        """
        if entry.size > self._max_bytes:
            return RefusedEntry(
                "EntryTooLarge", f"the entry counts {entry.size} bytes, a request may have {self._max_bytes}"
            )
        before, done = self._last.get(key), asyncio.get_running_loop().create_future()
        self._last[key] = done
        try:
            if before is not None:
                await asyncio.shield(before)
            return await self._until_settled(entry)
        finally:
            done.set_result(None)
            if self._last.get(key) is done:
                del self._last[key]

    async def _until_settled(self, entry: Entry) -> Accepted | RefusedEntry:
        attempts, silences = 0, 0
        while True:
            result = await self._enqueue(entry)
            if isinstance(result, Unanswered):
                self._on_trouble(f"no usable answer: {result.reason}")
                await self._until_answers(outage_backoff(silences, self._chance()))
                silences += 1
                continue
            self._note_answer()
            if isinstance(result, Accepted):
                return result
            if not is_retryable(result.code) or attempts >= self._max_retries:
                return RefusedEntry(result.code, result.message, attempts)
            self._on_retry()
            await asyncio.sleep(backoff(attempts, self._chance()))
            attempts += 1

    async def _until_answers(self, seconds: float) -> None:
        """Wait so long, or until any other entry gets an answer: then all may try again."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), seconds)

    def _note_answer(self) -> None:
        self._on_trouble(None)
        self._answered.set()
        self._answered = asyncio.Event()

    async def _enqueue(self, entry: Entry) -> Result:
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch())
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._filled.set()
        if len(self._waiting) >= MAX_ENTRIES:
            self._full.set()
        return await future

    async def _dispatch(self) -> None:
        while True:
            await self._filled.wait()
            await self._linger()
            await self._slots.acquire()
            request = self._next_request()
            if not request:
                self._slots.release()
                continue
            task = asyncio.create_task(self._request(request))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
            task.add_done_callback(lambda _: self._slots.release())

    async def _linger(self) -> None:
        """Wait until a request is full, but no longer than the linger."""
        self._full.clear()
        if len(self._waiting) < MAX_ENTRIES:
            try:
                await asyncio.wait_for(self._full.wait(), self._linger_s)
            except TimeoutError:
                return

    def _next_request(self) -> list[WaitingEntry]:
        while self._waiting and self._waiting[0][1].cancelled():
            self._waiting.popleft()
        head = [self._waiting[index][0].size for index in range(min(MAX_ENTRIES, len(self._waiting)))]
        taken = next(cut(head, self._max_bytes), range(0))
        request = [self._waiting.popleft() for _ in taken]
        if not self._waiting:
            self._filled.clear()
        return [waiting for waiting in request if not waiting[1].cancelled()]

    async def _request(self, request: list[WaitingEntry]) -> None:
        try:
            results = await self._put([entry for entry, _ in request])
            answered = list(zip(request, results, strict=True))
        except Exception as error:  # a bug: whoever waits must hear of it, or would wait for ever
            for _, future in request:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in answered:
            if not future.done():
                future.set_result(result)
