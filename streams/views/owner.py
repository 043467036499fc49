"""This module answers from the worker that owns the tables, whichever worker is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aiohttp
from aiohttp import web
from faust.web import Request, Response, View

from streams.app import app

#: Set on a request that one worker makes of another, so that two that disagree do not ask each other for ever.
ASKED_BY_WORKER = "X-Asked-By-Worker"

TIMEOUT = aiohttp.ClientTimeout(total=5)


async def from_owner(view: View, request: Request, answer: Callable[[], Any]) -> Response:
    """Answer here when the rows are ours, else pass on what their owner says; 503 while nobody owns them.

    `answer` gives what is shown as JSON, or a whole response.
    """
    address = app.owner.address()
    if address is None:
        return _unavailable(view, "Kafka has not assigned the tables yet")
    if app.owner.is_here():
        if not app.owner.are_recovered():
            return _unavailable(view, "the tables are being recovered")
        found = answer()
        return cast(Response, found) if isinstance(found, web.StreamResponse) else view.json(found)
    if request.headers.get(ASKED_BY_WORKER):
        return _unavailable(view, "the tables are moving to another worker")
    headers = {ASKED_BY_WORKER: "1"}
    if "Authorization" in request.headers:
        headers["Authorization"] = request.headers["Authorization"]
    url = str(address).rstrip("/") + str(request.rel_url)
    try:
        async with app.http_client.get(url, headers=headers, timeout=TIMEOUT) as found:
            return view.bytes(await found.read(), content_type=found.content_type, status=found.status)
    except (aiohttp.ClientError, TimeoutError):
        return _unavailable(view, f"the worker that owns the tables does not answer: {address}")


def _unavailable(view: View, reason: str) -> Response:
    return view.json({"error": "unavailable", "message": reason}, status=503, headers={"Retry-After": "2"})
