"""This module takes messages out of an SQS queue: received, and deleted only when they are safe elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clients.aws.answers import NoAnswerError

#: ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch take 10 (SQS API reference).
MAX_MESSAGES = 10

#: Seconds that a receive waits for messages: any wait asks all of SQS's servers, none only some of them.
WAIT_S = 1

_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message. `sent_ms`: epoch ms at which the queue took it; `group` of FIFO queues alone."""

    id: str
    body: str
    receipt: str
    sent_ms: int
    group: str | None


class QueueReceiver:
    """One queue, by its URL. Every method raises AWS_ERRORS."""

    def __init__(self, client: Any, url: str, *, visibility_s: int, wait_s: int = WAIT_S) -> None:
        self._client = client
        self._url = url
        self.visibility_s, self._wait_s = visibility_s, wait_s

    async def receive(self, most: int = MAX_MESSAGES) -> list[ReceivedMessage]:
        """Up to `most` (10) messages, which nobody else receives for `visibility_s`; empty when there is none now."""
        answer = await self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=self._wait_s,
            VisibilityTimeout=self.visibility_s,
            AttributeNames=["SentTimestamp", "MessageGroupId"],
        )
        try:
            return [_received(message) for message in answer.get("Messages") or []]
        except (KeyError, ValueError) as error:
            raise NoAnswerError(f"a message of another shape than SQS's: {error!r}") from error

    async def delete(self, messages: Sequence[ReceivedMessage]) -> int:
        """Delete; gives how many are gone. One that is not comes again, when its time is over."""
        gone = 0
        for batch in _cut(messages):
            entries = [{"Id": str(n), "ReceiptHandle": one.receipt} for n, one in enumerate(batch)]
            answer = await self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            gone += len(answer.get("Successful") or [])
        return gone

    async def hold(self, messages: Sequence[ReceivedMessage]) -> set[str]:
        """Keep them from others for `visibility_s` from now; gives the ids of those that are kept."""
        return await self._set_visibility(messages, self.visibility_s)

    async def release(self, messages: Sequence[ReceivedMessage]) -> None:
        """Let others receive them at once."""
        await self._set_visibility(messages, 0)

    async def _set_visibility(self, messages: Sequence[ReceivedMessage], seconds: int) -> set[str]:
        """Gives the ids of those that SQS did it for: a success may refuse some of a batch."""
        done: set[str] = set()
        for batch in _cut(messages):
            entries = [
                {"Id": str(n), "ReceiptHandle": one.receipt, "VisibilityTimeout": seconds}
                for n, one in enumerate(batch)
            ]
            answer = await self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            named = {one.get("Id") for one in answer.get("Successful") or []}
            done |= {one.id for n, one in enumerate(batch) if str(n) in named}
        return done


def region_of(url: str) -> str | None:
    """The region of a queue, by its URL: it need not be that of the bus. None where the URL does not tell."""
    found = _REGION.match(url)
    return found[1] if found else None


def _received(message: dict[str, Any]) -> ReceivedMessage:
    attributes = message.get("Attributes") or {}
    return ReceivedMessage(
        id=message["MessageId"],
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        sent_ms=int(attributes.get("SentTimestamp") or 0),
        group=attributes.get("MessageGroupId"),
    )


def _cut(messages: Sequence[ReceivedMessage]) -> Iterator[Sequence[ReceivedMessage]]:
    return (messages[start : start + MAX_MESSAGES] for start in range(0, len(messages), MAX_MESSAGES))
