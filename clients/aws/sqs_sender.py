"""This module puts failure records into an SQS queue, standard or FIFO."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ParamValidationError

from clients.aws.answers import ALWAYS_TAKEN, AWS_ERRORS, NoAnswerError, error_code, http_status, is_unanswered, reason
from processors.delivery.entries import cut
from processors.delivery.refusals import base_code, concerns_the_caller, is_throttling, remedy
from processors.delivery.retry import outage_backoff

#: SendMessageBatch takes 10 messages and 1 MiB, of one and of all (SQS API reference).
MAX_MESSAGES = 10
MAX_BYTES = 1_048_576

#: What SQS does not take in a body; inside JSON strings these may be written as escapes instead.
_FOREIGN = {code: f"\\u{code:04x}" for code in (0xFFFE, 0xFFFF)}

#: Refusals that are about a message itself, by their base.
_ABOUT_THE_MESSAGE = {
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "MessageTooLong",
    "MissingParameter",
    "MissingRequiredParameter",
    "Serialization",
    "Validation",
    "ValidationError",
}

#: How often a message is tried, of which nobody knows whether it is to blame, while others pass.
_TRIES = 5

#: What a refusal asks an operator to do.
_PERMISSION, _MISSING_QUEUE = (
    "sqs:SendMessage on the queue, and kms:GenerateDataKey on its key",
    "create the queue, or fix DLQ_QUEUE_URL",
)

_NOT_IN_IDS = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message. `group` and `deduplication` are used by FIFO queues alone; `attributes` are texts to filter by."""

    body: str
    group: str
    deduplication: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes as SQS counts them: the body, and name, type and value of each attribute."""
        texts = (text for pair in self.attributes.items() for text in (*pair, "String"))
        return len(_body(self).encode()) + sum(len(text.encode()) for text in texts)


class Blame(enum.Enum):
    """Why a message was not taken: it is to blame, nobody knows, or it would have been any other's lot."""

    MESSAGE = enum.auto()
    UNKNOWN = enum.auto()
    OUTAGE = enum.auto()


#: What was not taken: index → why, in words, and who is to blame.
FailedMessages = dict[int, tuple[str, Blame]]


class QueueSender:
    """One queue, by its URL. `on_trouble` hears why it takes nothing, and None when it does again.

    `max_bytes`: of one message, as the queue is set; known once it was described.
    """

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
        self.max_bytes = MAX_BYTES
        self._on_trouble = on_trouble
        self._chance = chance

    async def describe(self) -> dict[str, str]:
        """Attributes of the queue. Raises AWS_ERRORS."""
        answer = await self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        attributes = {str(name): str(value) for name, value in (answer.get("Attributes") or {}).items()}
        if not attributes:
            raise NoAnswerError("the answer names no queue: look at what answers in SQS's place")
        if (longest := attributes.get("MaximumMessageSize", "")).isdecimal():
            self.max_bytes = min(MAX_BYTES, int(longest))
        return attributes

    async def try_send(self) -> None:
        """Ask for the right to send, by a message that no queue takes: its delay and its attribute are out of bounds.

        Raises AWS_ERRORS, but for the refusal of that message.
        """
        wrong = {"check": {"DataType": "Nothing", "StringValue": "-"}}
        group = {"MessageGroupId": "check", "MessageDeduplicationId": "check"} if self.is_fifo else {}
        try:
            await self._client.send_message(
                QueueUrl=self.url, MessageBody="check", DelaySeconds=901, MessageAttributes=wrong, **group
            )
        except AWS_ERRORS as error:
            if _blame(error, 0) is Blame.OUTAGE:
                raise

    async def send(self, messages: Sequence[QueueMessage]) -> list[str | None]:
        """Send until each message is in the queue: None for those that are, else why SQS never will take it.

        While the queue is unreachable, deleted or forbidden this waits: that is fixed outside, and nothing is lost. A
        message that alone is refused holds up no other.
        """
        sizes = [message.size for message in messages]
        refusals = ["MessageTooLong" if size > self.max_bytes else None for size in sizes]
        sendable = [index for index, size in enumerate(sizes) if size <= self.max_bytes]
        for batch in cut([sizes[index] for index in sendable], MAX_BYTES, MAX_MESSAGES):
            await self._send_batch(messages, sendable[batch.start : batch.stop], refusals)
        return refusals

    async def _send_batch(
        self, messages: Sequence[QueueMessage], pending: list[int], refusals: list[str | None]
    ) -> None:
        attempt, asked, doubted = 0, len(pending), 0
        while pending:
            failed = await self._attempt(messages, pending)
            others_pass = len(failed) < asked
            doubted = doubted + 1 if others_pass else 0
            for index, (why, blame) in failed.items():
                if blame is Blame.MESSAGE or (blame is Blame.UNKNOWN and doubted >= _TRIES):
                    refusals[index] = why
            pending = [index for index in failed if refusals[index] is None]
            if not pending:
                self._on_trouble(None)
                return
            self._on_trouble(f"takes nothing: {failed[pending[0]][0]}")
            await asyncio.sleep(outage_backoff(attempt, self._chance()))
            attempt += 1

    async def _attempt(self, messages: Sequence[QueueMessage], pending: Sequence[int]) -> FailedMessages:
        """One SendMessageBatch, or one for each message where it is refused as a whole and one may be to blame."""
        entries = [self._entry(index, messages[index]) for index in pending]
        try:
            answer = await self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
        except AWS_ERRORS as error:
            blame = _blame(error, sum(messages[index].size for index in pending))
            if blame is not Blame.OUTAGE and len(pending) > 1:
                return await self._one_by_one(messages, pending)
            return dict.fromkeys(pending, (_words(error, blame), blame))
        places = {str(index): index for index in pending}
        failed = {
            places[one["Id"]]: (str(one.get("Code") or "Unknown"), _blame_of_entry(one))
            for one in answer.get("Failed") or []
            if one["Id"] in places
        }
        named = {one["Id"] for one in answer.get("Successful") or []}
        unnamed = {
            index: ("no result", Blame.OUTAGE)
            for name, index in places.items()
            if name not in named and index not in failed
        }
        return failed | unnamed

    async def _one_by_one(self, messages: Sequence[QueueMessage], pending: Sequence[int]) -> FailedMessages:
        failed: FailedMessages = {}
        for place, index in enumerate(pending):
            one = await self._attempt(messages, [index])
            failed |= one
            if any(blame is Blame.OUTAGE for _, blame in one.values()):
                return failed | dict.fromkeys(pending[place:], next(iter(one.values())))
        return failed

    def _entry(self, index: int, message: QueueMessage) -> dict[str, Any]:
        entry: dict[str, Any] = {"Id": str(index), "MessageBody": _body(message)}
        if message.attributes:
            entry["MessageAttributes"] = {
                name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
            }
        if self.is_fifo:
            entry["MessageGroupId"] = _identifier(message.group)
            entry["MessageDeduplicationId"] = _identifier(message.deduplication)
        return entry


def _blame(error: Exception, size: int) -> Blame:
    """Who may be to blame for a refusal of a whole request, of so many bytes of messages."""
    code, found = error_code(error), http_status(error) or 0
    if found == 413:
        return Blame.MESSAGE if size >= ALWAYS_TAKEN else Blame.UNKNOWN
    if isinstance(error, ParamValidationError) or base_code(code) in _ABOUT_THE_MESSAGE:
        return Blame.MESSAGE
    if is_unanswered(error) or _is_outside(code) or not 400 <= found < 500:
        return Blame.OUTAGE
    return Blame.UNKNOWN


def _blame_of_entry(failed: Mapping[str, Any]) -> Blame:
    code = str(failed.get("Code"))
    if not failed.get("SenderFault") or _is_outside(code):
        return Blame.OUTAGE
    return Blame.MESSAGE if base_code(code) in _ABOUT_THE_MESSAGE else Blame.UNKNOWN


def _is_outside(code: str) -> bool:
    """Whether a code speaks of rights, quotas, keys or the queue, which are fixed outside, whoever SQS blames."""
    return concerns_the_caller(code) or is_throttling(code) or code.lower().startswith("kms")


def _words(error: Exception, blame: Blame) -> str:
    code = error_code(error)
    if http_status(error) == 413 and blame is Blame.UNKNOWN:
        return "413: look at the limit of what is between here and AWS"
    if blame is Blame.OUTAGE and http_status(error) is not None:
        return f"{code}; {remedy(code, _PERMISSION, _MISSING_QUEUE)}"
    return reason(error) if http_status(error) is None else code


def _body(message: QueueMessage) -> str:
    return message.body.translate(_FOREIGN)


def _identifier(text: str) -> str:
    """At most 128 letters, digits and punctuation, as SQS wants; the same text gives the same identifier."""
    if text and len(text) <= 128 and not _NOT_IN_IDS.search(text):
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
