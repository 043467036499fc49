"""This module stands before every request: faults on request, tokens, rate limits, errors."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import uuid4

from aiohttp import web

from emulators.genesys.access.errors import DEFAULT_CODES, ApiError, too_many_requests
from emulators.genesys.access.limits import RateWindow
from emulators.genesys.access.tokens import AccessToken, Tokens, refusal
from emulators.genesys.faults import ActiveFaults, AnswerFault
from emulators.pages import page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOKEN = web.RequestKey("token", AccessToken)
HEADERS = web.RequestKey("headers", dict[str, str])


class Gate:
    """The middleware: `/_emulator/` passes freely, `/oauth/` has its own errors, `/api/` wants a token."""

    def __init__(self, active: ActiveFaults, tokens: Tokens, window: RateWindow) -> None:
        self.requests: Counter[str] = Counter()
        self._active = active
        self._tokens = tokens
        self._window = window

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_emulator/"):
            return await _without_headers(request, handler)
        self.requests[f"{request.method} {_template(request)}"] += 1
        if fault := self._active.answer(request.method, request.path):
            return await _faulty(fault, request)
        if not request.path.startswith("/api/"):
            return await _without_headers(request, handler)
        return await self._api(request, handler)

    async def _api(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        request[HEADERS] = headers = {"ININ-Correlation-Id": str(uuid4())}
        try:
            request[TOKEN] = token = self._tokens.of_header(request.headers.get("Authorization"))
            usage = self._window.take(token.value)
            headers |= usage.headers()
            if usage.refused:
                raise too_many_requests(usage.reset)
            return await handler(request)
        except ApiError as error:
            return error.response()
        except web.HTTPException as error:
            return _of_framework(error)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before headers go out: streams get them as plain answers do."""
    response.headers.update(request.get(HEADERS, {}))


async def _without_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()


async def _faulty(fault: AnswerFault, request: web.Request) -> web.Response:
    await asyncio.sleep(fault.delay)
    if fault.page == "reset":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=fault.status)  # which nobody gets any more
    if fault.page is not None:
        return page(fault.page, fault.status)
    code = DEFAULT_CODES.get(fault.status, "internal.server.error")
    if request.path.startswith("/oauth/"):
        return refusal(fault.status, code, "asked for by a fault")
    return ApiError(fault.status, "Asked for by a fault", code=code).response()


def _of_framework(error: web.HTTPException) -> web.Response:
    """404, 405 and 413 of aiohttp in the words of Genesys."""
    return ApiError(error.status, error.reason, code=DEFAULT_CODES.get(error.status)).response()


def _template(request: web.Request) -> str:
    """`/api/v2/routing/queues/{id}` rather than one counter per id."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no such path)"
