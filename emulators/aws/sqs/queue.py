"""This module is one queue: what is sent, received, made visible again, deleted."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from emulators.aws.identifiers import new_identifier
from emulators.aws.sqs.attributes import FIFO_SUFFIX, redrive
from emulators.aws.sqs.errors import invalid_value, named, plain
from emulators.aws.sqs.messages import Message
from emulators.aws.sqs.shelves import FifoShelf, Shelf, StandardShelf

DEDUPLICATION_SECONDS = 300
PURGE_SECONDS = 60
IN_FLIGHT = 120_000
"""Developer guide: deduplication interval, PurgeQueue, and the in-flight quota of both kinds of queue."""


class Queue:
    """`clock` gives epoch seconds; `dead_letter` moves a message to the queue of an ARN, if there is one."""

    def __init__(
        self,
        name: str,
        arn: str,
        attributes: dict[str, str],
        clock: Callable[[], float],
        dead_letter: Callable[[str, Message], bool],
    ) -> None:
        self.name, self.arn, self.attributes = name, arn, attributes
        self.is_fifo = name.endswith(FIFO_SUFFIX)
        self.created = self.modified = int(clock())
        self._clock, self._dead_letter = clock, dead_letter
        self._arrival = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """As if nothing had ever been sent."""
        self.sent = 0
        self._purged_at = float("-inf")
        self.clear()

    def clear(self) -> None:
        """No messages, no deduplication ids."""
        self.messages: dict[str, Message] = {}
        self._shelf: Shelf = FifoShelf() if self.is_fifo else StandardShelf()
        self._flying = 0
        self._hidden: list[tuple[float, int, Message]] = []
        self._handles: dict[str, Message] = {}
        self._deduplicated: dict[str, Message] = {}
        self._deduplicated_order: deque[tuple[float, str]] = deque()

    def send(self, message: Message, delay: int) -> Message:
        """The message stored, or the earlier one that has its deduplication id; `delay` is seconds."""
        now = self._clock()
        if earlier := self._remember(message, now):
            return earlier
        self.sent += 1
        message.number = self.sent
        if self.is_fifo:
            message.sequence = f"{10**19 + self.sent:020d}"
        self.messages[message.message_id] = message
        if delay:
            self._hide(message, now + delay)
        else:
            self._shelf.put(message)
            self._arrival.set()
        return message

    def _remember(self, message: Message, now: float) -> Message | None:
        if message.deduplication is None:
            return None
        while self._deduplicated_order and self._deduplicated_order[0][0] <= now - DEDUPLICATION_SECONDS:
            self._deduplicated.pop(self._deduplicated_order.popleft()[1], None)
        scope = message.group if self.attributes.get("DeduplicationScope") == "messageGroup" else ""
        key = f"{scope} {message.deduplication}"
        if earlier := self._deduplicated.get(key):
            return earlier
        self._deduplicated[key] = message
        self._deduplicated_order.append((now, key))
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
        if self._flying >= IN_FLIGHT:
            raise plain("OverLimit", f"Too many messages in flight: {self._flying}.")
        now = self._clock()
        received = []
        for message in self._shelf.take(count):
            message.in_flight = True
            self._flying += 1
            if self._is_dead(message):
                self._forget(message)
                continue
            message.receives += 1
            message.first_received_ms = message.first_received_ms or int(now * 1000)
            self._hide(message, now + visibility)
            handle = new_identifier()
            self._handles[handle] = message
            received.append((message, handle))
        return received

    def _is_dead(self, message: Message) -> bool:
        """Whether it is gone: older than the retention period, or moved to the dead-letter queue."""
        age = self._clock() - message.sent_ms / 1000
        policy = redrive(self.attributes.get("RedrivePolicy", ""))
        if age > int(self.attributes["MessageRetentionPeriod"]):
            return True
        return bool(policy and message.receives >= policy[1] and self._dead_letter(policy[0], message))

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
            if message.in_flight:
                message.in_flight = False
                self._flying -= 1
                self._shelf.give_back(message)
            else:
                self._shelf.put(message)

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

    def purge(self) -> None:
        """Deletes all messages, once a minute. Raises `AWSError`."""
        now = self._clock()
        if now - self._purged_at < PURGE_SECONDS:
            raise named("PurgeQueueInProgress")
        self._purged_at = now
        self.clear()

    def waiting(self) -> int:
        return self._shelf.waiting()

    def delayed(self) -> int:
        return len(self.messages) - self.waiting() - self._flying

    def all_attributes(self) -> dict[str, str]:
        """What was set, and what is counted now."""
        self._unhide()
        waiting, delayed = self.waiting(), self.delayed()
        return self.attributes | {
            "QueueArn": self.arn,
            "ApproximateNumberOfMessages": str(waiting),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "ApproximateNumberOfMessagesNotVisible": str(self._flying),
            "CreatedTimestamp": str(self.created),
            "LastModifiedTimestamp": str(self.modified),
        }

    def contents(self) -> list[dict[str, Any]]:
        """Every message that is not deleted, in the order sent, with its state."""
        self._unhide()
        return [
            {
                "messageId": message.message_id,
                "body": message.body,
                "attributes": message.attributes,
                "system": message.system_attributes(),
                "state": "inFlight" if message.in_flight else "delayed" if message.visible_at else "visible",
            }
            for message in self.messages.values()
        ]
