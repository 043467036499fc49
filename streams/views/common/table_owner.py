"""This module answers from the worker that owns the tables, whichever worker is asked."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from faust.web import Request, Response, View

from processors.event.strict_json import JsonObject, object_or_empty
from streams.app import app
from streams.views.common.answers import RefusedError
from streams.views.common.worker_client import NoAnswerError, WorkerAnswer, ask, is_asked_by_worker, pass_on
from streams.web.access import own_authorization


class UnavailableError(RefusedError):
    """Nobody can answer for the tables just now; the text says why."""

    def __init__(self, reason: str) -> None:
        super().__init__("unavailable", reason, 503, {"Retry-After": "2"})


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
    if is_asked_by_worker(request):
        raise UnavailableError("the tables are moving to another worker")
    return (await _owners(lambda address: pass_on(app.http_client, request, address))).shown(view)


async def ask_owner(path: str) -> JsonObject:
    """What the tables' owner answers to this worker itself. Raises UnavailableError."""
    if app.owner.is_here():
        raise UnavailableError("the tables are being recovered")
    authorization = own_authorization(app.settings.tokens)
    answer = await _owners(lambda address: ask(app.http_client, address.rstrip("/") + path, authorization))
    if answer.status != 200:
        raise UnavailableError(f"the worker that owns the tables answered {answer.status}")
    if not (found := object_or_empty(answer.body)):
        raise UnavailableError(f"what answers at {app.owner.address()} is no worker: look at WEB_ADVERTISED_URL there")
    return found


async def _owners(asked: Callable[[str], Awaitable[WorkerAnswer]]) -> WorkerAnswer:
    """What the owner answers to what is asked of it at its address."""
    address = app.owner.address()
    if address is None:
        raise UnavailableError("Kafka has not assigned the tables yet")
    try:
        return await asked(str(address))
    except NoAnswerError:
        raise UnavailableError(f"the worker that owns the tables does not answer: {address}") from None
