"""This module is the operations on queues themselves; queues are made through the control interface."""

from __future__ import annotations

from emulators.aws.calls import Answer, Call
from emulators.aws.sqs.attributes import KNOWN
from emulators.aws.sqs.errors import plain
from emulators.aws.sqs.queues import Queues


class Administration:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def delete(self, call: Call) -> Answer:
        self._queues.delete(self._queues.of_url(call.parameters.get("QueueUrl")))
        return {}

    async def url(self, call: Call) -> Answer:
        return {"QueueUrl": self._queues.url(self._queues.of_name(call.parameters.get("QueueName")))}

    async def attributes(self, call: Call) -> Answer:
        queue = self._queues.of_url(call.parameters.get("QueueUrl"))
        asked = call.parameters.get("AttributeNames") or []
        for name in asked:
            if name not in KNOWN:
                raise plain("InvalidAttributeName", f"Unknown Attribute {name}.")
        values = queue.all_attributes()
        shown = {name: value for name, value in values.items() if "All" in asked or name in asked}
        return {"Attributes": shown} if shown else {}
