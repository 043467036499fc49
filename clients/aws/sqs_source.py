"""This module reads events out of an SQS queue: several receives at once, a message deleted only when it is settled.

Genesys' EventBridge integration puts events on a partner bus, and a rule puts them into the queue. Whatever is held
for long (while Kafka is unreachable) is kept from other readers, so that it neither comes twice nor counts as received
in vain.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import structlog

from clients.aws.answers import AWS_ERRORS, reason
from clients.aws.sqs_receiver import MAX_MESSAGES, QueueReceiver, ReceivedMessage
from processors.delivery.retry import outage_backoff
from processors.event.lines import PREFIX_BYTES, Line, OversizedLine

log = structlog.get_logger(__name__)

#: Seconds that a receive waits for messages, the longest that SQS allows: an idle queue costs few requests.
WAIT_S = 20
#: Seconds for which a message is ours; renewed in good time while it is held.
VISIBILITY_S = 120

#: Seconds before which no queue says that it is empty, as it waits first; what does is not asked in a hurry.
SOON_S = 1.0

RECEIVES, DELETES = 4, 4
#: Deletions of a message that SQS refuses: it comes again, and is known by its event id then.
MAX_DELETIONS = 3
#: Seconds that receives and deletions get at the end; a receive that is longer under way finds nothing.
RECEIVE_END_S, END_S = 1.0, 5.0


@dataclass(slots=True)
class _Held:
    message: ReceivedMessage
    until_s: float


class SqsSource:
    """One queue as a source. `on_trouble` hears why it gives nothing, and None when it does again.

    An outage and a missing right are waited out: neither is any event's fault.
    """

    #: Messages that are held at most, received and not deleted yet, and characters of their bodies: beyond, none are
    #: received.
    max_held, max_held_size = 600, 32_000_000
    #: Messages of one batch at most.
    max_batch = 200

    def __init__(
        self,
        queue: QueueReceiver,
        *,
        on_trouble: Callable[[str | None], None],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue, self._on_trouble = queue, on_trouble
        self._now, self._sleep, self._chance = now, sleep, chance
        self._held: dict[str, _Held] = {}  # by the message's id
        self._arrived: asyncio.Queue[ReceivedMessage | BaseException] = asyncio.Queue()
        self._settled: asyncio.Queue[ReceivedMessage] = asyncio.Queue()
        self._room = asyncio.Event()
        self._ending = False
        self._troubles: dict[str, str] = {}

    async def batches(self) -> AsyncGenerator[list[ReceivedMessage], None]:
        """What has come, for ever; each message is to be told as `settled` once it is safe."""
        receiving = [asyncio.create_task(self._receive()) for _ in range(RECEIVES)]
        keeping = asyncio.create_task(self._keep())
        deleting = [asyncio.create_task(self._delete()) for _ in range(DELETES)]
        for task in (*receiving, keeping, *deleting):
            task.add_done_callback(self._ended)
        try:
            while True:
                yield await self._next()
        finally:
            self._ending = True
            await asyncio.wait(receiving, timeout=RECEIVE_END_S)  # what they bring would be hidden from others
            await _cancel([*receiving, keeping])
            await self._finish()
            await _cancel(deleting)
            self._on_trouble(None)

    def settled(self, messages: Iterable[ReceivedMessage]) -> None:
        """Each of these is in Kafka, as an event or as a failure: it can be deleted."""
        for message in messages:
            self._settled.put_nowait(message)

    async def _next(self) -> list[ReceivedMessage]:
        found = [await self._arrived.get()]
        while len(found) < self.max_batch and not self._arrived.empty():
            found.append(self._arrived.get_nowait())
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return [one for one in found if isinstance(one, ReceivedMessage)]

    async def _receive(self) -> None:
        attempt = 0
        while not self._ending:
            while self._full():
                self._room.clear()
                await self._room.wait()
            asked_s = self._now()
            try:
                messages = await self._queue.receive()
            except AWS_ERRORS as error:
                await self._unreachable("read", "cannot be read", error, attempt)
                attempt += 1
                continue
            self._healthy("read")
            attempt = 0
            if not messages and self._now() - asked_s < SOON_S:
                await self._sleep(SOON_S)
            for message in messages:
                known = message.id in self._held  # ours for too long: it has a new receipt, and is under way
                self._held[message.id] = _Held(message, asked_s + self._queue.visibility_s)
                if not known:
                    self._arrived.put_nowait(message)

    def _full(self) -> bool:
        size = sum(len(held.message.body) for held in self._held.values())
        return len(self._held) >= self.max_held or size >= self.max_held_size

    async def _keep(self) -> None:
        """Renew in good time what is held."""
        while True:
            await self._sleep(self._queue.visibility_s / 4)
            soon_s = self._now() + self._queue.visibility_s / 2
            due = [held for held in self._held.values() if held.until_s < soon_s]
            asked_s = self._now()
            try:
                kept = await self._queue.hold([held.message for held in due])
            except AWS_ERRORS as error:
                log.warning("messages are not kept", messages=len(due), error=reason(error))
                continue
            if refused := sum(held.message.id not in kept for held in due):
                log.warning("messages are not kept", messages=refused, error="refused by SQS")
            for held in due:
                if held.message.id in kept:
                    held.until_s = asked_s + self._queue.visibility_s

    async def _delete(self) -> None:
        while True:
            batch = [await self._settled.get()]
            while len(batch) < MAX_MESSAGES and not self._settled.empty():
                batch.append(self._settled.get_nowait())
            await self._delete_batch(batch)
            for message in batch:
                self._held.pop(message.id, None)
                self._settled.task_done()
            self._room.set()

    async def _delete_batch(self, batch: Sequence[ReceivedMessage]) -> None:
        """Returns when SQS has deleted these, or will not."""
        refused = 0
        for attempt in count():
            newest = [self._held[one.id].message if one.id in self._held else one for one in batch]
            try:
                are_gone = await self._queue.delete(newest) >= len(newest)
                self._healthy("delete")
            except AWS_ERRORS as error:
                await self._unreachable("delete", "deletes nothing", error, attempt)
                continue
            refused += not are_gone
            if are_gone or refused >= MAX_DELETIONS:
                return
            await self._sleep(outage_backoff(refused, self._chance()))

    async def _finish(self) -> None:
        """Delete what is settled, and let others have at once what was not looked at."""
        left = [one for one in _emptied(self._arrived) if isinstance(one, ReceivedMessage)]
        try:
            async with asyncio.timeout(END_S):
                await self._settled.join()
                await self._queue.release(left)
        except (TimeoutError, *AWS_ERRORS) as error:
            log.warning("messages will come again", reason=type(error).__name__, messages=len(self._held))

    async def _unreachable(self, what: str, says: str, error: Exception, attempt: int) -> None:
        self._troubles[what] = f"the queue of GENESYS_SOURCE {says}: {reason(error)}"
        self._on_trouble(next(iter(self._troubles.values())))
        await self._sleep(max(0.1, outage_backoff(attempt, self._chance())))

    def _healthy(self, what: str) -> None:
        if self._troubles.pop(what, None) is not None:
            self._on_trouble(next(iter(self._troubles.values()), None))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._arrived.put_nowait(error)


def line_of(message: ReceivedMessage, max_bytes: int) -> Line:
    """The body as a line of any source; one that is too long is for a failure record."""
    value = message.body.encode("utf-8", "surrogatepass")  # a lone surrogate is no UTF-8, and is reported so
    return OversizedLine(value[:PREFIX_BYTES], len(value)) if len(value) > max_bytes else value


def _emptied(queue: asyncio.Queue[ReceivedMessage | BaseException]) -> list[ReceivedMessage | BaseException]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
