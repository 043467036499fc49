"""This module puts failure records into an SQS queue, standard or FIFO."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.aws.client import AWS_ERRORS, error_code
from processors.delivery.entries import cut
from processors.delivery.retry import outage_backoff

#: SendMessageBatch takes 10 messages and 1 MiB, of one and of all (SQS API reference).
MAX_MESSAGES = 10
MAX_BYTES = 1_048_576

#: What SQS does not take in a body; inside JSON strings these may be written as escapes instead.
_FOREIGN = {code: f"\\u{code:04x}" for code in (0xFFFE, 0xFFFF)}

#: Refusals of an entry that are about the message itself, without prefix and suffix. A sender's fault of any other
#: code (throttled, a key of KMS out of reach) may be fixed outside.
_ABOUT_THE_MESSAGE = {"InvalidMessageContents", "InvalidParameterValue", "MessageTooLong", "MissingParameter"}

_NOT_IN_IDS = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `group` and `deduplication` are used by FIFO queues alone."""

    body: str
    group: str
    deduplication: str


class Queue:
    """One queue, by its URL. `on_trouble` hears why it takes nothing, and None when it does again."""

    def __init__(
        self,
        client: Any,
        url: str,
        *,
        on_trouble: Callable[[str | None], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self.url = url
        self.is_fifo = url.endswith(".fifo")
        self._on_trouble = on_trouble
        self._chance = chance

    async def describe(self) -> dict[str, str]:
        """Attributes of the queue. Raises botocore's ClientError and BotoCoreError."""
        answer = await self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return dict(answer.get("Attributes") or {})

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Send until each message is in the queue: None for those that are, else why SQS never will take it.

        While the queue is unreachable, deleted or forbidden this waits: that is fixed outside, and nothing is lost.
        """
        sizes = [len(_body(message).encode()) for message in messages]
        refusals = ["MessageTooLong" if size > MAX_BYTES else None for size in sizes]
        sendable = [index for index, size in enumerate(sizes) if size <= MAX_BYTES]
        for batch in cut([sizes[index] for index in sendable], MAX_BYTES, MAX_MESSAGES):
            await self._send_batch(messages, sendable[batch.start : batch.stop], refusals)
        return refusals

    async def _send_batch(self, messages: Sequence[Message], pending: list[int], refusals: list[str | None]) -> None:
        attempt = 0
        while pending:
            failed = await self._attempt(messages, pending)
            for index, (reason, is_ours) in failed.items():
                refusals[index] = reason if is_ours else None
            pending = [index for index, (_, is_ours) in failed.items() if not is_ours]
            if not pending:
                self._on_trouble(None)
                return
            self._on_trouble(f"takes nothing: {failed[pending[0]][0]}")
            await asyncio.sleep(outage_backoff(attempt, self._chance()))
            attempt += 1

    async def _attempt(self, messages: Sequence[Message], pending: Sequence[int]) -> dict[int, tuple[str, bool]]:
        """One SendMessageBatch; gives what failed: index -> (reason, whether the message is to blame)."""
        entries = [self._entry(index, messages[index]) for index in pending]
        try:
            answer = await self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        except AWS_ERRORS as error:
            return {index: (error_code(error), False) for index in pending}
        failed = {
            int(one["Id"]): (str(one.get("Code") or "Unknown"), _is_to_blame(one)) for one in answer.get("Failed") or []
        }
        taken = {int(one["Id"]) for one in answer.get("Successful") or []}
        unnamed = {index: ("no result", False) for index in pending if index not in taken and index not in failed}
        return failed | unnamed

    def _entry(self, index: int, message: Message) -> dict[str, str]:
        entry = {"Id": str(index), "MessageBody": _body(message)}
        if self.is_fifo:
            entry["MessageGroupId"] = _identifier(message.group)
            entry["MessageDeduplicationId"] = _identifier(message.deduplication)
        return entry


def _is_to_blame(failed: Mapping[str, Any]) -> bool:
    code = str(failed.get("Code")).removeprefix("AWS.SimpleQueueService.").removesuffix("Exception")
    return bool(failed.get("SenderFault")) and code in _ABOUT_THE_MESSAGE


def _body(message: Message) -> str:
    return message.body.translate(_FOREIGN)


def _identifier(text: str) -> str:
    """At most 128 letters, digits and punctuation, as SQS wants; the same text gives the same identifier."""
    if text and len(text) <= 128 and not _NOT_IN_IDS.search(text):
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
