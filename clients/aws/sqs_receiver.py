"""This module takes messages out of an SQS queue: received, and deleted only when they are safe elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

#: ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch take 10 (SQS API reference).
MAX_MESSAGES = 10

#: Seconds that a receive waits for messages: any wait asks all of SQS's servers, none only some of them.
WAIT_S = 1


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message. `sent_ms`: epoch ms at which the queue took it; `group` of FIFO queues alone."""

    id: str
    body: str
    receipt: str
    sent_ms: int
    group: str | None


class QueueReceiver:
    """One queue, by its URL. Every method raises botocore's ClientError and BotoCoreError."""

    def __init__(self, client: Any, url: str, *, visibility_s: int) -> None:
        self._client = client
        self._url = url
        self._visibility_s = visibility_s

    async def receive(self) -> list[ReceivedMessage]:
        """Up to 10 messages, which nobody else receives for `visibility_s`; empty when there is none now."""
        answer = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MAX_MESSAGES,
            WaitTimeSeconds=WAIT_S,
            VisibilityTimeout=self._visibility_s,
            AttributeNames=["SentTimestamp", "MessageGroupId"],
        )
        return [_received(message) for message in answer.get("Messages") or []]

    async def delete(self, messages: Sequence[ReceivedMessage]) -> int:
        """Delete; gives how many are gone. One that is not comes again, when its time is over."""
        gone = 0
        for batch in _cut(messages):
            entries = [{"Id": str(n), "ReceiptHandle": one.receipt} for n, one in enumerate(batch)]
            answer = await self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            gone += len(answer.get("Successful") or [])
        return gone

    async def release(self, messages: Sequence[ReceivedMessage]) -> None:
        """Let others receive them at once."""
        for batch in _cut(messages):
            entries = [
                {"Id": str(n), "ReceiptHandle": one.receipt, "VisibilityTimeout": 0} for n, one in enumerate(batch)
            ]
            await self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


def _received(message: dict[str, Any]) -> ReceivedMessage:
    attributes = message.get("Attributes") or {}
    return ReceivedMessage(
        id=str(message.get("MessageId")),
        body=str(message.get("Body") or ""),
        receipt=str(message["ReceiptHandle"]),
        sent_ms=int(attributes.get("SentTimestamp") or 0),
        group=attributes.get("MessageGroupId"),
    )


def _cut(messages: Sequence[ReceivedMessage]) -> Iterator[Sequence[ReceivedMessage]]:
    return (messages[start : start + MAX_MESSAGES] for start in range(0, len(messages), MAX_MESSAGES))
