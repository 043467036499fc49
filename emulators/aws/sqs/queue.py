"""This module is one queue: what is sent, received, made visible again, deleted."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from emulators.aws.errors import invalid_value
from emulators.aws.identifiers import new_identifier
from emulators.aws.sqs.attributes import FIFO_SUFFIX, RETENTION_SECONDS, initial
from emulators.aws.sqs.errors import named, plain
from emulators.aws.sqs.messages import Message
from emulators.aws.sqs.shelves import FifoShelf, Shelf, StandardShelf

DEDUPLICATION_SECONDS = 300
"""Developer guide: deduplication interval."""


class Queue:
    """`clock` gives epoch seconds. Raises `AWSError` for a name that SQS does not take."""

    in_flight = 120_000
    """Developer guide: the quota of both kinds of queue."""

    def __init__(self, name: str, arn: str, clock: Callable[[], float]) -> None:
        self.name, self.arn, self.attributes = name, arn, initial(name)
        self.is_fifo = name.endswith(FIFO_SUFFIX)
        self.created = int(clock())
        self._clock = clock
        self._arrival = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """As if nothing had ever been sent."""
        self.sent = 0
        self.messages: dict[str, Message] = {}
        self._shelf: Shelf = FifoShelf() if self.is_fifo else StandardShelf()
        self._flying = 0
        self._hidden: list[tuple[float, int, Message]] = []
        self._handles: dict[str, Message] = {}
        self._deduplicated: dict[str, Message] = {}
        self._deduplicated_order: deque[tuple[float, str]] = deque()

    def send(self, message: Message) -> Message:
        """The message stored, or the earlier one that has its deduplication id."""
        now = self._clock()
        if earlier := self._remember(message, now):
            return earlier
        self.sent += 1
        message.number = self.sent
        if self.is_fifo:
            message.sequence = f"{10**19 + self.sent:020d}"
        self.messages[message.message_id] = message
        self._shelf.put(message)
        self._arrival.set()
        return message

    def _remember(self, message: Message, now: float) -> Message | None:
        if message.deduplication is None:
            return None
        while self._deduplicated_order and self._deduplicated_order[0][0] <= now - DEDUPLICATION_SECONDS:
            self._deduplicated.pop(self._deduplicated_order.popleft()[1], None)
        if earlier := self._deduplicated.get(message.deduplication):
            return earlier
        self._deduplicated[message.deduplication] = message
        self._deduplicated_order.append((now, message.deduplication))
        return None

    async def receive(self, count: int, visibility: int, wait: float) -> list[tuple[Message, str]]:
        """Messages with their receipt handles; waits up to `wait` seconds for the first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while not (taken := self._take(count, visibility)) and (left := deadline - loop.time()) > 0:
            self._arrival.clear()
            if self._hidden:
                left = min(left, max(self._hidden[0][0] - self._clock(), 0.001))
            try:
                await asyncio.wait_for(self._arrival.wait(), left)
            except TimeoutError:
                continue
        return taken

    def _take(self, count: int, visibility: int) -> list[tuple[Message, str]]:
        self._unhide()
        if self._flying >= self.in_flight:
            raise plain("OverLimit", f"Too many messages in flight: {self._flying}.")
        now = self._clock()
        received = []
        for message in self._shelf.take(count):
            message.in_flight = True
            self._flying += 1
            if now - message.sent_ms / 1000 > RETENTION_SECONDS:
                self._forget(message)
                continue
            message.receives += 1
            message.first_received_ms = message.first_received_ms or int(now * 1000)
            self._hide(message, now + visibility)
            handle = new_identifier()
            self._handles[handle] = message
            received.append((message, handle))
        return received

    def _hide(self, message: Message, until: float) -> None:
        message.visible_at = until
        heapq.heappush(self._hidden, (until, message.number, message))

    def _unhide(self) -> None:
        now = self._clock()
        while self._hidden and self._hidden[0][0] <= now:
            until, _, message = heapq.heappop(self._hidden)
            if message.deleted or message.visible_at != until:
                continue
            message.visible_at = 0.0
            message.in_flight = False
            self._flying -= 1
            self._shelf.give_back(message)

    def delete(self, handle: object) -> None:
        """Deletes what was received with this handle; deleting twice is fine. Raises `AWSError`."""
        message = self._of_handle(handle)
        if message is None or message.deleted:
            return
        self._unhide()
        if self.is_fifo and not message.in_flight:
            raise invalid_value(f"Value {handle} for parameter ReceiptHandle is invalid. Reason: it has expired.")
        self._forget(message)

    def _forget(self, message: Message) -> None:
        message.deleted = True
        self.messages.pop(message.message_id, None)
        self._shelf.remove(message)
        self._flying -= message.in_flight

    def change_visibility(self, handle: object, seconds: int) -> None:
        """Hidden for so many seconds from now. Raises `AWSError`."""
        message = self._of_handle(handle)
        self._unhide()
        if message is None or message.deleted or not message.in_flight:
            raise named("MessageNotInflight")
        self._hide(message, self._clock() + seconds)
        self._arrival.set()

    def _of_handle(self, handle: object) -> Message | None:
        if not isinstance(handle, str) or not handle:
            raise plain("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        message = self._handles.get(handle)
        if message is None:
            raise plain(
                "ReceiptHandleIsInvalid",
                f'The input receipt handle "{handle}" is not a valid receipt handle.',
            )
        return message

    def all_attributes(self) -> dict[str, str]:
        """What was set, and what is counted now."""
        self._unhide()
        return self.attributes | {
            "QueueArn": self.arn,
            "ApproximateNumberOfMessages": str(self._shelf.waiting()),
            "ApproximateNumberOfMessagesDelayed": "0",
            "ApproximateNumberOfMessagesNotVisible": str(self._flying),
            "CreatedTimestamp": str(self.created),
            "LastModifiedTimestamp": str(self.created),
        }

    def contents(self) -> list[dict[str, Any]]:
        """Every message that is not deleted, in the order sent, with its state."""
        self._unhide()
        return [
            {
                "messageId": message.message_id,
                "body": message.body,
                "system": message.system_attributes(),
                "state": "inFlight" if message.in_flight else "visible",
            }
            for message in self.messages.values()
        ]
