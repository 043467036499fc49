"""This module is the web server's own share: how many connections there are, how long each takes, how it refuses.

A worker shares its file descriptors with Kafka and AWS: whoever opens more connections than the views need must not be
able to end it. So there is a bound, and who comes when it is reached takes the place of the one that has been idle for
longest; a probe gets through whatever the others do.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_runner import AppRunner, BaseSite, TCPSite
from aiohttp.web_server import Server
from faust.web.drivers.aiohttp import Web

from streams.web.middleware import HEADERS

log = structlog.get_logger(__name__)

#: Connections at once, of which no more than this share of the process's file descriptors.
MAX_CONNECTIONS, SHARE = 256, 4

#: Connections that wait to be accepted.
BACKLOG = 64

#: Seconds in which a request's headers must be whole, and after which a connection without one is closed.
IDLE_S = 15.0

#: Seconds that answers under way get when the worker ends.
END_S = 2.0


def max_connections(soft: int) -> int:
    """As many as a process can afford that may have `soft` files open."""
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(8, min(MAX_CONNECTIONS, soft // SHARE))


class WebConnection(RequestHandler):
    """One connection; knows since when it is idle or busy."""

    def __init__(self, manager: BoundedServer, **options: Any) -> None:
        super().__init__(manager, **options)
        self._bounds = manager
        self.since = self._loop.time()
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._bounds.admit(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._bounds.gone(self)
        super().connection_lost(exc)

    async def _handle_request(self, *arguments: Any) -> Any:
        self.since, self.is_busy = self._loop.time(), True
        try:
            return await super()._handle_request(*arguments)
        finally:
            self.since, self.is_busy = self._loop.time(), False

    def abort(self) -> None:
        """Close it now, whatever it has still to send."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self, request: Any, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What is no HTTP, or an error that no view has met: our headers, one shape of words, no trace."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        if status >= 500:
            log.error("the web server failed", exc_info=exc)
        words = "this is not HTTP as it should be" if status == 400 else "the web server failed"
        kind = "bad request" if status == 400 else "internal error"
        answer = web.json_response({"error": kind, "message": words}, status=status, headers=HEADERS)
        answer.force_close()
        return answer


class BoundedServer(Server):
    """Makes connections, and has at most `bound` of them.

    `long_s`: after so many seconds a request that is still being answered may be given up for others.
    """

    def __init__(self, *arguments: Any, bound: int, long_s: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bound, self._long_s = bound, long_s
        self._open: set[WebConnection] = set()

    def __call__(self) -> RequestHandler:
        return WebConnection(self, loop=self._loop, **self._kwargs)

    def admit(self, new: WebConnection) -> None:
        """Count a connection in; one is closed when there are too many."""
        self._open.add(new)
        if len(self._open) <= self._bound:
            return
        victim = self._victim(new)
        log.debug("a connection is closed, as there are too many", bound=self._bound)
        self._open.discard(victim)
        victim.abort()

    def gone(self, old: WebConnection) -> None:
        """A connection has ended."""
        self._open.discard(old)

    def _victim(self, new: WebConnection) -> WebConnection:
        """Who has been idle for longest; else whose answer has taken long already; else the one that has just come."""
        now = asyncio.get_running_loop().time()
        spare = [one for one in self._open if not one.is_busy and one is not new]
        spare = spare or [one for one in self._open if one.is_busy and now - one.since > self._long_s]
        return min(spare, key=lambda one: one.since, default=new)


class BoundedRunner(AppRunner):
    """Runs the application on a bounded server; by default one with as many connections as the process can afford."""

    bound, long_s = 0, 60.0

    async def _make_server(self) -> Server:
        stock = await super()._make_server()
        return BoundedServer(
            stock.request_handler,
            request_factory=stock.request_factory,
            loop=asyncio.get_running_loop(),
            bound=self.bound or max_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
            long_s=self.long_s,
            **stock._kwargs,
        )


class BoundedWeb(Web):
    """Faust's web driver with this server."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._runner = BoundedRunner(self.web_app, access_log=None, keepalive_timeout=IDLE_S, shutdown_timeout=END_S)

    def _new_transport_tcp(self) -> BaseSite:
        conf = self.app.conf
        return TCPSite(self._runner, conf.web_bind, conf.web_port, ssl_context=conf.web_ssl_context, backlog=BACKLOG)
