"""This module is ReceiveMessage and what is done with a receipt handle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.aws.calls import Answer, Call
from emulators.aws.sqs.attributes import RANGES
from emulators.aws.sqs.batches import answered, entries_of
from emulators.aws.sqs.messages import Message, attributes_md5
from emulators.aws.sqs.numbers import whole
from emulators.aws.sqs.queue import Queue
from emulators.aws.sqs.queues import Queues

MESSAGES = range(1, 11)


class Receiving:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def receive(self, call: Call) -> Answer:
        """`Messages` is left out when there is none."""
        parameters = call.parameters
        queue = self._queue(call)
        count = whole(parameters.get("MaxNumberOfMessages", 1), "MaxNumberOfMessages", MESSAGES)
        visibility = _or_default(parameters, "VisibilityTimeout", queue, "VisibilityTimeout")
        wait = _or_default(parameters, "WaitTimeSeconds", queue, "ReceiveMessageWaitTimeSeconds")
        received = await queue.receive(count, visibility, wait)
        if not received:
            return {}
        return {"Messages": [_as_answer(message, handle, parameters) for message, handle in received]}

    async def delete(self, call: Call) -> Answer:
        self._queue(call).delete(call.parameters.get("ReceiptHandle"))
        return {}

    async def delete_batch(self, call: Call) -> Answer:
        queue = self._queue(call)

        def delete(entry: Mapping[str, Any]) -> Answer:
            queue.delete(entry.get("ReceiptHandle"))
            return {}

        return answered(entries_of(call.parameters), delete)

    async def change_visibility(self, call: Call) -> Answer:
        return _change(self._queue(call), call.parameters)

    async def change_visibility_batch(self, call: Call) -> Answer:
        queue = self._queue(call)
        return answered(entries_of(call.parameters), lambda entry: _change(queue, entry))

    def _queue(self, call: Call) -> Queue:
        return self._queues.of_url(call.parameters.get("QueueUrl"))


def _change(queue: Queue, parameters: Mapping[str, Any]) -> Answer:
    seconds = whole(parameters.get("VisibilityTimeout"), "VisibilityTimeout", RANGES["VisibilityTimeout"])
    queue.change_visibility(parameters.get("ReceiptHandle"), seconds)
    return {}


def _or_default(parameters: Mapping[str, Any], name: str, queue: Queue, attribute: str) -> int:
    asked = parameters.get(name)
    return int(queue.attributes[attribute]) if asked is None else whole(asked, name, RANGES[attribute])


def _as_answer(message: Message, handle: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    asked = parameters.get("MessageSystemAttributeNames") or parameters.get("AttributeNames") or []
    system = message.system_attributes()
    shown = {name: value for name, value in system.items() if "All" in asked or name in asked}
    attributes = _chosen(message.attributes, parameters.get("MessageAttributeNames") or [])
    answer = {
        "MessageId": message.message_id,
        "ReceiptHandle": handle,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
        "Attributes": shown,
        "MD5OfMessageAttributes": attributes_md5(attributes),
        "MessageAttributes": attributes,
    }
    return {name: value for name, value in answer.items() if value}


def _chosen(attributes: dict[str, dict[str, Any]], names: list[str]) -> dict[str, dict[str, Any]]:
    """`All` or `.*` means every one, `prefix.*` those that start so."""
    if "All" in names or ".*" in names:
        return attributes
    prefixes = tuple(name[:-2] for name in names if name.endswith(".*"))
    return {
        name: value for name, value in attributes.items() if name in names or (prefixes and name.startswith(prefixes))
    }
