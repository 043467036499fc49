"""This module answers from the worker that owns the tables, whichever worker is asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

import aiohttp
from aiohttp import web
from faust.web import Request, Response, View

from processors.event.strict_json import JsonObject, object_or_empty
from streams.app import app
from streams.views.common.answers import RefusedError
from streams.web.access import own_authorization

#: Set on a request that one worker makes of another, so that two that disagree do not ask each other for ever.
ASKED_BY_WORKER = "X-Asked-By-Worker"

TIMEOUT = aiohttp.ClientTimeout(total=5)


class UnavailableError(RefusedError):
    """Nobody can answer for the tables just now; the text says why."""

    def __init__(self, reason: str) -> None:
        super().__init__("unavailable", reason, 503, {"Retry-After": "2"})


def asking(authorization: str | None) -> dict[str, str]:
    """Headers of a request that one worker makes of another."""
    return {ASKED_BY_WORKER: "1", **({"Authorization": authorization} if authorization else {})}


async def from_owner(view: View, request: Request, answer: Callable[[], Any]) -> Response:
    """Answer here when the rows are ours, else pass on what their owner says; 503 while nobody owns them.

    `answer` gives what is shown as JSON, or a whole response; at once, or when it is awaited.
    """
    if app.owner.is_here():
        if not app.owner.are_recovered():
            raise UnavailableError("the tables are being recovered")
        found = answer()
        if inspect.isawaitable(found):
            found = await found
        return cast(Response, found) if isinstance(found, web.StreamResponse) else view.json(found)
    if request.headers.get(ASKED_BY_WORKER):
        raise UnavailableError("the tables are moving to another worker")
    status, content_type, body = await _fetch(
        str(request.rel_url), request.headers.get("Authorization"), request.method
    )
    return view.bytes(body, content_type=content_type, status=status)


async def ask_owner(path: str) -> JsonObject:
    """What the tables' owner answers to this worker itself. Raises UnavailableError."""
    if app.owner.is_here():
        raise UnavailableError("the tables are being recovered")
    status, _, body = await _fetch(path, own_authorization(app.settings.tokens))
    if status != 200:
        raise UnavailableError(f"the worker that owns the tables answered {status}")
    if not (found := object_or_empty(body)):
        raise UnavailableError(f"what answers at {app.owner.address()} is no worker: look at WEB_ADVERTISED_URL there")
    return found


async def _fetch(path: str, authorization: str | None, method: str = "GET") -> tuple[int, str, bytes]:
    address = app.owner.address()
    if address is None:
        raise UnavailableError("Kafka has not assigned the tables yet")
    url = str(address).rstrip("/") + path
    try:
        async with app.http_client.request(method, url, headers=asking(authorization), timeout=TIMEOUT) as found:
            return found.status, found.content_type, await found.read()
    except (aiohttp.ClientError, TimeoutError):
        raise UnavailableError(f"the worker that owns the tables does not answer: {address}") from None
