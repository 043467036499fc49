"""This module stands before every web view: the token, security headers, and errors that tell no secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from settings.web import WebToken
from streams.web.access import CALLER, caller

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Server": "genesys-eventbridge",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

#: What is read without a token: what a probe asks (it names parts, never values), and the page that asks for the token.
OPEN = ("/health/live", "/health/ready", "")

#: What that page is made of; it holds nothing of this pipeline.
ASSETS = "/assets/"


def middlewares(tokens: Sequence[WebToken]) -> list[Any]:
    """What stands before every view, outermost first; a page asked for without its last slash is redirected."""
    return [guard(tokens), web.normalize_path_middleware(merge_slashes=False)]


def guard(tokens: Sequence[WebToken]) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Middleware for the web server; without a token every page is open (loopback is the default host)."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[CALLER] = who = caller(request.headers.get("Authorization", ""), tokens)
        if tokens and not who.is_known and not _is_open(request):
            response: web.StreamResponse = web.json_response(
                {"error": "unauthorized", "message": "send Authorization: Bearer WEB_TOKEN"},
                status=401,
                headers={"WWW-Authenticate": f'{_scheme(request)} realm="genesys-eventbridge"'},
            )
        elif _is_from_elsewhere(request):
            words = "a page of another site asked for this; ask from the dashboard or a command line"
            response = web.json_response({"error": "forbidden", "message": words}, status=403)
        else:
            response = await _answer(request, handler)
        response.headers.update(HEADERS)
        return response

    return middleware


def _is_open(request: web.Request) -> bool:
    return request.path.rstrip("/") in OPEN or request.path.startswith(ASSETS)


def _scheme(request: web.Request) -> str:
    """A browser asks the person for what Basic wants; where a script of ours asked, the page does so itself."""
    return "Bearer" if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate" else "Basic"


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return web.json_response({"error": refusal.reason}, status=refusal.status, headers=_kept(refusal))
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):  # or who asks has gone in the middle of it
        return web.json_response({"error": "the body is not what its headers say"}, status=400)
    except Exception as error:  # whatever it is, the caller must not see its trace; the log does
        log.error("a view failed", path=request.path, exc_info=error)
        return web.json_response({"error": "internal error"}, status=500)


def _is_from_elsewhere(request: web.Request) -> bool:
    """Whether a browser sends a change on behalf of another site's page (cross-site request forgery).

    By what browsers tell (Fetch Metadata, `Sec-Fetch-Site`), else by the page's origin; other programs tell neither.
    """
    if request.method in ("GET", "HEAD"):
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


def _kept(refusal: web.HTTPException) -> dict[str, str]:
    return {name: refusal.headers[name] for name in ("Allow", "Location") if name in refusal.headers}
