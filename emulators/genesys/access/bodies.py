"""This module reads the JSON bodies of requests."""

from __future__ import annotations

import orjson
from aiohttp import web

from emulators.genesys.access.errors import ApiError


async def json_body(request: web.Request) -> object:
    """The parsed body; raises `ApiError` 400, or 415 for another content type."""
    data = await request.read()
    if data and request.content_type not in ("application/json", "application/octet-stream"):
        raise ApiError(415, "The content type must be application/json.")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "The request body is not valid JSON.") from error
