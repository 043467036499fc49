"""This module stands before every web view: the token, security headers, and errors that tell no secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from settings.web import WebToken
from streams.web.access import CALLER, caller
from streams.web.allowed_hosts import Hosts

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

#: What a view may say otherwise.
KEPT = ("Cache-Control",)

#: What a probe asks, which shows no token: it names parts, never values.
PROBES = ("/health/live", "/health/ready")

#: What the page is made of that asks for the token; it holds nothing of this pipeline.
ASSETS = "/assets/"


#: Seconds in which a request's body must be there.
BODY_S = 20.0


def middlewares(tokens: Sequence[WebToken], hosts: Hosts, body_s: float = BODY_S) -> list[Any]:
    """What stands before every view, outermost first; a page asked for without its last slash is redirected."""
    return [guard(tokens, hosts, body_s), web.normalize_path_middleware(merge_slashes=False)]


def guard(
    tokens: Sequence[WebToken], hosts: Hosts, body_s: float = BODY_S
) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Middleware for the web server; without a token every page is open (loopback is the default host)."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[CALLER] = who = caller(request.headers.get("Authorization", ""), tokens)
        if not _is_probe(request) and not hosts.allows(request.headers.get("Host"), _address(request)):
            words = "nobody is called that here: name the host in WEB_ALLOWED_HOSTS"
            response: web.StreamResponse = _refusal("misdirected request", words, 421)
        elif tokens and not who.is_known and not _is_open(request):
            headers = {"WWW-Authenticate": f'{_scheme(request)} realm="genesys-eventbridge"'}
            response = _refusal("unauthorized", "send Authorization: Bearer WEB_TOKEN", 401, headers)
        elif _is_from_elsewhere(request):
            words = "a page of another site asked for this; ask from the dashboard or a command line"
            response = _refusal("forbidden", words, 403)
        else:
            response = await _answer(request, handler, body_s)
        for name, value in HEADERS.items():
            if name not in KEPT or name not in response.headers:
                response.headers[name] = value
        return response

    return middleware


def _is_probe(request: web.Request) -> bool:
    """A supervisor may ask by any name; what it is answered tells nobody anything."""
    return request.path.rstrip("/") in PROBES


def _is_open(request: web.Request) -> bool:
    return _is_probe(request) or request.path == "/" or request.path.startswith(ASSETS)


def _address(request: web.Request) -> str | None:
    """The address of ours that the connection was made to."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(name[0]) if isinstance(name, tuple) else None


def _scheme(request: web.Request) -> str:
    """A browser asks the person for what Basic wants; where a script of ours asked, the page does so itself."""
    return "Bearer" if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate" else "Basic"


async def _answer(request: web.Request, handler: Handler, body_s: float) -> web.StreamResponse:
    try:
        if not await _body_is_there(request, body_s):
            words = f"the body did not come within {body_s:g} s"
            return _refusal("request timeout", words, 408)
        return await handler(request)
    except web.HTTPException as refusal:
        return _refusal(refusal.reason.lower(), refusal.text or refusal.reason, refusal.status, _kept(refusal))
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):  # or who asks has gone in the middle of it
        return _refusal("bad request", "the body is not what its headers say", 400)
    except Exception as error:  # whatever it is, the caller must not see its trace; the log does
        log.error("a view failed", path=request.path, exc_info=error)
        return _refusal("internal error", "the view failed; the log of the worker says why", 500)


def _refusal(kind: str, message: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """As a view refuses (streams/views/common/answers.py)."""
    return web.json_response({"error": kind, "message": message}, status=status, headers=headers)


async def _body_is_there(request: web.Request, body_s: float) -> bool:
    """Read the body, which the request keeps for its view; False when it does not come in time."""
    if request.can_read_body:
        try:
            async with asyncio.timeout(body_s):
                await request.read()
        except TimeoutError:
            return False
    return True


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
