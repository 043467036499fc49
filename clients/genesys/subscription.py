"""This module reads the HTTP event subscription: JSON lines for ever, over every cut.

No public Genesys API documents the two paths used here; the notification socket (notifications/source.py) is the
source for production.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import httpx
import structlog

from clients.genesys.rest.backoff import Backoff
from clients.genesys.rest.client import GenesysRest, NetworkError
from clients.genesys.rest.errors import GenesysRequestError
from processors.event.errors import MalformedEventError
from processors.event.lines import Line, LineSplitter
from processors.event.strict_json import parse
from settings import Settings

log = structlog.get_logger(__name__)

SUBSCRIPTIONS = "/api/v2/events/subscriptions"

#: Chunks are joined up to about so many bytes.
BURST_BYTES = 262_144

#: Namespace of subscription ids; changing it leaves every subscription made so far behind.
SUBSCRIPTION_NAMESPACE = uuid.UUID("0a3f5e8c-2d4b-5c1e-8f0a-6b7d9e1c3a52")


@dataclass(slots=True)
class StreamEnd:
    """Why a connection ended; `whole`: the server ended its answer, nothing of it was cut off."""

    reason: str = ""
    whole: bool = False


class SubscriptionStream:
    """One event subscription and its stream. Read by one consumer at a time.

    The id follows from the OAuth client and the name, so restarts and other workers use the same subscription
    and go on where it stopped.
    """

    def __init__(
        self,
        rest: GenesysRest,
        *,
        name: str,
        resource_types: Sequence[str],
        event_types: Sequence[str],
        idle_timeout: float,
        max_line_bytes: int,
    ) -> None:
        self.subscription_id = str(uuid.uuid5(SUBSCRIPTION_NAMESPACE, f"{rest.client_id}/{name}"))
        self._rest = rest
        self._body = {
            "id": self.subscription_id,
            "name": name,
            "description": "Interaction events for AWS EventBridge",
            "resourceTypes": list(resource_types),
            "eventTypes": list(event_types),
            "filters": [],
        }
        self._idle_timeout = idle_timeout
        self._splitter = LineSplitter(max_line_bytes)
        self._backoff = Backoff(rest.clock, base=0.5)

    @classmethod
    def from_settings(cls, rest: GenesysRest, settings: Settings) -> SubscriptionStream:
        """The stream that the settings describe."""
        return cls(
            rest,
            name=settings.genesys_subscription_name,
            resource_types=settings.genesys_resource_types,
            event_types=settings.genesys_event_types,
            idle_timeout=settings.genesys_idle_timeout,
            max_line_bytes=settings.max_line_bytes,
        )

    async def create(self) -> None:
        """Make sure that the subscription exists. Raises PermissionMissingError or GenesysRequestError."""
        try:
            await self._rest.request("POST", SUBSCRIPTIONS, json=self._body)
        except GenesysRequestError as error:
            if error.status != 409:  # it is there already, made by an earlier run or another worker
                raise
        log.info("genesys.subscription.ready", subscription=self.subscription_id)

    async def batches(self) -> AsyncGenerator[list[Line], None]:
        """Every line that arrives, for ever, as the lists that the network delivered; never an empty one.

        At most one burst is read ahead. What has arrived while a list was dealt with comes as one: a service
        that writes each event by itself would else cost a turn of Kafka for each.
        """
        self._splitter.discard()  # an earlier reader may have stopped within a line
        await self.create()
        while True:
            end = StreamEnd()
            async with aclosing(self._connection(end)) as batches:
                async for lines in batches:
                    yield lines
            if lines := self._tail(end.whole):
                yield lines
            await self._pause(end.reason)

    async def _connection(self, end: StreamEnd) -> AsyncGenerator[list[Line], None]:
        """What one connection brings; `end` then says why it brings no more."""
        try:
            async with (
                self._rest.stream(self._path, idle_timeout=self._idle_timeout) as response,
                aclosing(self._lines(response)) as batches,
            ):
                async for lines in batches:
                    yield lines
                end.reason, end.whole = "ended", _is_delimited(response)
        except GenesysRequestError as error:
            if error.status != 404:
                raise
            end.reason = "subscription gone"
            await self.create()
        except httpx.ReadTimeout:
            self._works()  # a quiet night looks the same as a dead line: open it again, without alarm
            end.reason = "silent"
        except NetworkError as error:
            end.reason = str(error) or type(error).__name__

    async def _lines(self, response: httpx.Response) -> AsyncGenerator[list[Line], None]:
        async with aclosing(bursts(response.aiter_bytes())) as arrived:
            async for chunk in arrived:
                self._works()
                if lines := self._splitter.feed(chunk):
                    yield lines

    @property
    def _path(self) -> str:
        return f"{SUBSCRIPTIONS}/{self.subscription_id}/events"

    def _tail(self, whole: bool) -> list[Line]:
        """What is left of the last line when a stream ends.

        A line cut by the network was not received whole: the server sends its event again, or never, so it
        must not become a failure record. A JSON object that lacks its line end only is whole.
        """
        size = self._splitter.pending
        lines = self._splitter.close()
        if whole or all(_is_whole(line) for line in lines):
            return lines
        log.warning("genesys.stream.half_line", bytes=size)
        self._rest.observer.count("half_line_dropped")
        return []

    def _works(self) -> None:
        self._backoff.reset()
        self._rest.observer.healthy(self)

    async def _pause(self, reason: str) -> None:
        seconds = self._backoff.next()
        log.info("genesys.stream.reconnect", reason=reason, wait_s=round(seconds, 1))
        self._rest.observer.count("stream_reconnected")
        if self._backoff.attempts > 2:  # opened again and again, and nothing comes
            self._rest.observer.trouble(self, f"event stream: {reason}")
        await self._rest.clock.sleep(seconds)


async def bursts(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks, with those joined that are there at once; one more may have been asked for."""
    coming = asyncio.ensure_future(_next(chunks))
    try:
        while (chunk := await coming) is not None:
            burst, size = [chunk], len(chunk)
            coming = asyncio.ensure_future(_next(chunks))
            await asyncio.sleep(0)  # the next one is done by now, if nothing has to be waited for
            while size < BURST_BYTES and (more := _arrived(coming)) is not None:
                burst.append(more)
                size += len(more)
                coming = asyncio.ensure_future(_next(chunks))
                await asyncio.sleep(0)
            yield b"".join(burst)
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _arrived(coming: asyncio.Future[bytes | None]) -> bytes | None:
    """The chunk, if it is there by now; what failed or ended is left to who waits for it."""
    return coming.result() if coming.done() and coming.exception() is None else None


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk, None at the end: a future cannot hold StopAsyncIteration."""
    return await anext(chunks, None)


def _is_delimited(response: httpx.Response) -> bool:
    """Whether the body says itself where it ends; if not, an end looks the same as a cut."""
    return "chunked" in response.headers.get("transfer-encoding", "") or "content-length" in response.headers


def _is_whole(line: Line) -> bool:
    if not isinstance(line, bytes):
        return False
    try:
        return isinstance(parse(line), dict | list)
    except MalformedEventError:
        return False
