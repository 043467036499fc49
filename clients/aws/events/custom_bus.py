"""This module puts events on both kinds of buses: an ARN with `event-busv2/` is a custom bus, all else a classic one.

botocore 1.40 speaks the protocol of custom buses (smithy-rpc-v2-cbor) and lacks their model; ours, of two operations
alone, is in models/.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from clients.aws.client import open_client
from clients.aws.events.direct import open_events
from processors.delivery.custom_bus import CustomBus, custom_bus
from processors.routes.target import Target
from settings import Settings

SERVICE = "eventbridgev2"

OpenCustom = Callable[[CustomBus, Target | None], Awaitable[Any]]
OpenClassic = Callable[[Target], Awaitable[Any]]


async def _no_other(_: Target) -> Any:
    raise AssertionError("a bus of another account, and no way to reach it")


@asynccontextmanager
async def open_buses(settings: Settings, targets: Callable[[], Mapping[str, Target]] = dict) -> AsyncIterator[Any]:
    """The client for all buses. `targets`: bus → how it is reached, for those that are not simply ours.

    Raises AwsConfigurationError and NoAnswerError as `open_client` does.
    """
    async with AsyncExitStack() as stack:

        async def open_custom(bus: CustomBus, target: Target | None) -> Any:
            opening = open_client(settings, SERVICE, region=bus.region, endpoint_url=bus.endpoint, target=target)
            return await stack.enter_async_context(opening)

        async def open_classic(target: Target) -> Any:
            return await stack.enter_async_context(open_events(settings, target))

        own = await stack.enter_async_context(open_events(settings))
        yield EventsClient(own, open_custom, open_classic, targets)


class EventsClient:
    """An `events` client whose PutEvents and DescribeEventBus are for either kind of bus.

    `open_custom` gives the client for the region and account of a custom bus, `open_classic` that for a classic one
    which is reached otherwise than ours; each is asked once. `targets`: bus → how it is reached, by the routes of now.
    """

    def __init__(
        self,
        classic: Any,
        open_custom: OpenCustom,
        open_classic: OpenClassic = _no_other,
        targets: Callable[[], Mapping[str, Target]] = dict,
    ) -> None:
        self._classic, self._open_custom, self._open_classic = classic, open_custom, open_classic
        self._targets = targets
        self._clients: dict[tuple[CustomBus | None, Target | None], Any] = {}
        self._opening = asyncio.Lock()

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._classic, operation)

    async def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """PutEvents of entries for one bus, as botocore answers it; DEDUPLICATED is an EventId like PUBLISHED."""
        arn = str(Entries[0].get("EventBusName", ""))
        bus, target = custom_bus(arn), self._target(arn)
        client = await self._client(bus, target)
        if bus is None:
            endpoint = {"EndpointId": target.endpoint_id} if target and target.endpoint_id else {}
            answer: Mapping[str, Any] = await client.put_events(Entries=Entries, **endpoint)
            return answer
        stripped = [{name: value for name, value in entry.items() if name != "EventBusName"} for entry in Entries]
        answer = await client.put_events(EventBusArn=arn, Entries=stripped)
        return answer

    async def describe_event_bus(self, *, Name: str) -> Mapping[str, Any]:  # noqa: N803
        """What the bus is. Raises ClientError, also InvalidStateException for a custom bus that takes no events yet."""
        bus = custom_bus(Name)
        client = await self._client(bus, self._target(Name))
        if bus is None:
            answer: Mapping[str, Any] = await client.describe_event_bus(Name=Name)
            return answer
        answer = await client.describe_event_bus(EventBusArn=Name)
        if answer.get("State") != "ACTIVE":
            error = {"Code": "InvalidStateException", "Message": f"the bus is {answer.get('State')}"}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 409}}, "DescribeEventBus")
        return answer

    def _target(self, arn: str) -> Target | None:
        """How the bus is reached; an ARN tells the region of a bus whose target does not."""
        target, parts = self._targets().get(arn), arn.split(":")
        if target is not None and target.region is None and len(parts) == 6:
            return replace(target, region=parts[3])
        return target

    async def _client(self, bus: CustomBus | None, target: Target | None) -> Any:
        if bus is None and target is None:
            return self._classic
        async with self._opening:
            found = self._clients.get((bus, target))
            if found is None:
                opened = self._open_custom(bus, target) if bus else self._open_classic(target or Target())
                found = self._clients[bus, target] = await opened
            return found
