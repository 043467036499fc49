"""This module puts events on both kinds of buses: an ARN with `event-busv2/` is a custom bus, all else a classic one.

botocore 1.40 speaks the protocol of custom buses (smithy-rpc-v2-cbor) and lacks their model; ours, of two operations
alone, is in models/.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from botocore.exceptions import ClientError

from clients.aws.client import open_client
from clients.aws.direct import open_events
from processors.delivery.custom_bus import CustomBus, custom_bus
from settings import Settings

SERVICE = "eventbridgev2"

OpenCustom = Callable[[CustomBus], Awaitable[Any]]


@asynccontextmanager
async def open_buses(settings: Settings) -> AsyncIterator[Any]:
    """The client for all buses. Raises AwsConfigurationError and NoAnswerError as `open_client` does."""
    async with AsyncExitStack() as stack:

        async def open_custom(bus: CustomBus) -> Any:
            opening = open_client(settings, SERVICE, region=bus.region, endpoint_url=bus.endpoint)
            return await stack.enter_async_context(opening)

        yield EventsClient(await stack.enter_async_context(open_events(settings)), open_custom)


class EventsClient:
    """An `events` client whose PutEvents and DescribeEventBus are for either kind of bus.

    `open_custom` gives the client for the region and account of a custom bus; it is asked once for each.
    """

    def __init__(self, classic: Any, open_custom: OpenCustom) -> None:
        self._classic, self._open_custom = classic, open_custom
        self._clients: dict[CustomBus, Any] = {}
        self._opening = asyncio.Lock()

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._classic, operation)

    async def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """PutEvents of entries for one bus, as botocore answers it; DEDUPLICATED is an EventId like PUBLISHED."""
        arn = str(Entries[0].get("EventBusName", ""))
        bus = custom_bus(arn)
        if bus is None:
            answer: Mapping[str, Any] = await self._classic.put_events(Entries=Entries)
            return answer
        client = await self._client(bus)
        stripped = [{name: value for name, value in entry.items() if name != "EventBusName"} for entry in Entries]
        answer = await client.put_events(EventBusArn=arn, Entries=stripped)
        return answer

    async def describe_event_bus(self, *, Name: str) -> Mapping[str, Any]:  # noqa: N803
        """What the bus is. Raises ClientError, also InvalidStateException for a custom bus that takes no events yet."""
        bus = custom_bus(Name)
        if bus is None:
            answer: Mapping[str, Any] = await self._classic.describe_event_bus(Name=Name)
            return answer
        answer = await (await self._client(bus)).describe_event_bus(EventBusArn=Name)
        if answer.get("State") != "ACTIVE":
            error = {"Code": "InvalidStateException", "Message": f"the bus is {answer.get('State')}"}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 409}}, "DescribeEventBus")
        return answer

    async def _client(self, bus: CustomBus) -> Any:
        async with self._opening:
            if bus not in self._clients:
                self._clients[bus] = await self._open_custom(bus)
            return self._clients[bus]
