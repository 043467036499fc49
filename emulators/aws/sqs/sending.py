"""This module is SendMessage and SendMessageBatch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulators.aws.active_faults import ActiveFaults
from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError, invalid_value
from emulators.aws.identifiers import new_identifier
from emulators.aws.sqs.attributes import DELAY, MESSAGE_BYTES, whole
from emulators.aws.sqs.batches import answered, entries_of
from emulators.aws.sqs.errors import missing, named
from emulators.aws.sqs.messages import Message, check_body, check_identifier
from emulators.aws.sqs.queue import Queue
from emulators.aws.sqs.queues import Queues

Entry = Mapping[str, Any]


class Sending:
    """One message and a batch of them go the same way; only failures are answered differently."""

    def __init__(self, queues: Queues, active: ActiveFaults, clock: Callable[[], float]) -> None:
        self._queues, self._active, self._clock = queues, active, clock

    async def send(self, call: Call) -> Answer:
        return self._send(self._queues.of_url(call.parameters.get("QueueUrl")), call.parameters, call)

    async def send_batch(self, call: Call) -> Answer:
        queue = self._queues.of_url(call.parameters.get("QueueUrl"))
        entries = entries_of(call.parameters)
        total = sum(len(str(entry.get("MessageBody") or "").encode()) for entry in entries)
        if total > MESSAGE_BYTES:
            message = f"Batch requests cannot be longer than {MESSAGE_BYTES} bytes. You have sent {total} bytes."
            raise named("BatchRequestTooLong", message)
        return answered(entries, lambda entry: self._send(queue, entry, call))

    def _send(self, queue: Queue, entry: Entry, call: Call) -> dict[str, Any]:
        body = check_body(entry.get("MessageBody"))
        _check_attributes(entry)
        group, deduplication = _identifiers(queue, entry)
        if "sqs" in self._active.entry_services and (fault := self._active.entry("sqs", body)):
            raise AWSError(fault.code, fault.message, sender=False)
        message = Message(
            number=0,
            message_id=new_identifier(),
            body=body,
            sent_ms=int(self._clock() * 1000),
            group=group,
            deduplication=deduplication,
            sender=call.access_key,
        )
        sent = queue.send(message)
        answer = {
            "MessageId": sent.message_id,
            "MD5OfMessageBody": message.body_md5,
            "SequenceNumber": sent.sequence,
        }
        return {name: value for name, value in answer.items() if value is not None}


def _check_attributes(entry: Entry) -> None:
    if (delay := entry.get("DelaySeconds")) is not None:
        whole(delay, "DelaySeconds", DELAY)
    for name, value in (entry.get("MessageAttributes") or {}).items():
        if str(value.get("DataType")).partition(".")[0] not in ("String", "Number", "Binary"):
            raise invalid_value(
                f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported "
                "type prefixes: Binary, Number, String."
            )


def _identifiers(queue: Queue, entry: Entry) -> tuple[str | None, str | None]:
    """Group and deduplication id. Standard queues take a group (fair queues), never a deduplication id."""
    group, deduplication = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
    if group is not None:
        check_identifier(group, "MessageGroupId")
    if deduplication is not None:
        check_identifier(deduplication, "MessageDeduplicationId")
    if not queue.is_fifo:
        if deduplication is not None:
            raise invalid_value(
                f"Value {deduplication} for parameter MessageDeduplicationId is invalid. Reason: The request "
                "include parameter that is not valid for this queue type."
            )
        return group, None
    if group is None:
        raise missing("MessageGroupId")
    if deduplication is None:
        raise invalid_value(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return group, deduplication
