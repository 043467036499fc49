"""This module is the operations on queues themselves."""

from __future__ import annotations

from collections.abc import Callable

from emulators.aws.calls import Answer, Call
from emulators.aws.sqs.attributes import KNOWN, checked
from emulators.aws.sqs.errors import invalid_value, missing, plain
from emulators.aws.sqs.numbers import whole
from emulators.aws.sqs.queues import Queues

LISTED = range(1, 1001)


class Administration:
    def __init__(self, queues: Queues, clock: Callable[[], float]) -> None:
        self._queues, self._clock = queues, clock

    async def create(self, call: Call) -> Answer:
        name = call.parameters.get("QueueName")
        if not name:
            raise missing("QueueName")
        queue = self._queues.create(str(name), call.parameters.get("Attributes") or {})
        return {"QueueUrl": self._queues.url(queue)}

    async def delete(self, call: Call) -> Answer:
        self._queues.delete(self._queues.of_url(call.parameters.get("QueueUrl")))
        return {}

    async def url(self, call: Call) -> Answer:
        return {"QueueUrl": self._queues.url(self._queues.of_name(call.parameters.get("QueueName")))}

    async def list(self, call: Call) -> Answer:
        """`NextToken` only when `MaxResults` was asked for, as the service does."""
        prefix = call.parameters.get("QueueNamePrefix") or ""
        names = [name for name in self._queues.names if name.startswith(prefix)]
        start = _place(call.parameters.get("NextToken"))
        limit = whole(call.parameters.get("MaxResults") or LISTED.stop - 1, "MaxResults", LISTED)
        urls = [self._queues.url(self._queues[name]) for name in names[start : start + limit]]
        has_more = "MaxResults" in call.parameters and start + limit < len(names)
        more = {"NextToken": str(start + limit)} if has_more else {}
        return ({"QueueUrls": urls} if urls else {}) | more

    async def attributes(self, call: Call) -> Answer:
        queue = self._queues.of_url(call.parameters.get("QueueUrl"))
        asked = call.parameters.get("AttributeNames") or []
        for name in asked:
            if name not in KNOWN:
                raise plain("InvalidAttributeName", f"Unknown Attribute {name}.")
        values = queue.all_attributes()
        shown = {name: value for name, value in values.items() if "All" in asked or name in asked}
        return {"Attributes": shown} if shown else {}

    async def set_attributes(self, call: Call) -> Answer:
        queue = self._queues.of_url(call.parameters.get("QueueUrl"))
        asked = call.parameters.get("Attributes")
        if not asked:
            raise missing("Attributes")
        queue.attributes.update(checked(asked, is_fifo=queue.is_fifo))
        queue.modified = int(self._clock())
        return {}

    async def purge(self, call: Call) -> Answer:
        self._queues.of_url(call.parameters.get("QueueUrl")).purge()
        return {}


def _place(token: object) -> int:
    if token is None:
        return 0
    if not isinstance(token, str) or not token.isdigit():
        raise invalid_value("Invalid or expired next token.")
    return int(token)
