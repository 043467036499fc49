"""This module is ReceiveMessage and what is done with a receipt handle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.aws.calls import Answer, Call
from emulators.aws.sqs.attributes import MESSAGES, VISIBILITY, VISIBILITY_SECONDS, WAIT, whole
from emulators.aws.sqs.batches import Entry, answered, entries_of
from emulators.aws.sqs.messages import Message
from emulators.aws.sqs.queue import Queue
from emulators.aws.sqs.queues import Queues


class Receiving:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def receive(self, call: Call) -> Answer:
        """`Messages` is left out when there is none."""
        asked = call.parameters
        queue = self._queue(call)
        count = whole(asked.get("MaxNumberOfMessages", 1), "MaxNumberOfMessages", MESSAGES)
        visibility = whole(asked.get("VisibilityTimeout", VISIBILITY_SECONDS), "VisibilityTimeout", VISIBILITY)
        wait = whole(asked.get("WaitTimeSeconds", 0), "WaitTimeSeconds", WAIT)
        received = await queue.receive(count, visibility, wait)
        if not received:
            return {}
        return {"Messages": [_as_answer(message, handle, asked) for message, handle in received]}

    async def delete_batch(self, call: Call) -> Answer:
        queue = self._queue(call)

        def delete(entry: Entry) -> Answer:
            queue.delete(entry.get("ReceiptHandle"))
            return {}

        return answered(entries_of(call.parameters), delete)

    async def change_visibility_batch(self, call: Call) -> Answer:
        queue = self._queue(call)

        def change(entry: Entry) -> Answer:
            seconds = whole(entry.get("VisibilityTimeout"), "VisibilityTimeout", VISIBILITY)
            queue.change_visibility(entry.get("ReceiptHandle"), seconds)
            return {}

        return answered(entries_of(call.parameters), change)

    def _queue(self, call: Call) -> Queue:
        return self._queues.of_url(call.parameters.get("QueueUrl"))


def _as_answer(message: Message, handle: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    asked = parameters.get("MessageSystemAttributeNames") or parameters.get("AttributeNames") or []
    system = message.system_attributes()
    answer = {
        "MessageId": message.message_id,
        "ReceiptHandle": handle,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
        "Attributes": {name: value for name, value in system.items() if "All" in asked or name in asked},
    }
    return {name: value for name, value in answer.items() if value}
