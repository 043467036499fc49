"""This module shows the pipeline live: a stream of what changes, and the strip of the last hours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web
from faust.web import Request, Response, View

from processors.metrics.history import MINUTE_MS
from processors.replay.period import Period
from streams.app import app
from streams.tables.rows import history
from streams.views.common.answers import RefusedError, asked_period, now_ms, period_or
from streams.views.common.table_owner import UnavailableError, ask_owner, from_owner
from streams.views.tables import report_of
from streams.web.broadcast import Broadcast, Listener, sse
from streams.web.middleware import HEADERS

#: Seconds after which a line says that the stream goes on, and milliseconds after which who lost it shall ask again.
KEEP_ALIVE_S, RETRY_MS = 15.0, 2_000

#: Seconds after which somebody who takes nothing of what is sent has gone.
STUCK_S = 30.0

#: Minutes of the strip that the stream tells: the present one and those that may still grow.
NEWEST = 3

#: What the strip shows unless it is asked for more, and most minutes of it.
USUAL, MAX_MINUTES = "1h", 7 * 1440


async def _take(range_: str) -> Mapping[str, Any]:
    """What the stream tells, from where the tables are; why not, while nobody has them."""
    try:
        if app.owner.is_here() and app.owner.are_recovered():
            return _now(range_)
        return await ask_owner(f"/api/live/?range={quote(range_)}" if range_ else "/api/live/")
    except UnavailableError as reason:
        return {"unavailable": {"error": reason.kind, "message": reason.message}}


def _now(range_: str) -> dict[str, Any]:
    now = now_ms()
    newest = Period(now - (NEWEST - 1) * MINUTE_MS, now)
    return {
        "report": report_of(asked_period({"range": range_}) if range_ else None),
        "lag": app.group.lag(),
        "status": app.group.status(),
        "minutes": _strip(newest),
    }


def _strip(asked: Period) -> dict[str, Any]:
    """The history of a time, with what operators did in it."""
    found = history(app.sums, asked)
    acted = [{"at": one.at, "kind": one.what, "what": str(one)} for one in app.actions.during(asked)]
    return {**found, "marks": sorted([*found["marks"], *acted], key=lambda mark: mark["at"])}


broadcast = Broadcast(_take)
app.on_before_shutdown.connect(lambda *_, **__: broadcast.close(), weak=False)


@app.page("/api/live/")
class Live(View):
    """What the stream tells, once."""

    async def get(self, request: Request) -> Response:
        """`{"report": …, "lag": …, "status": …, "minutes": …}`; `?range=` is the report's."""
        range_ = request.query.get("range", "")
        asked_period(request.query)
        return await from_owner(self, request, lambda: _now(range_))


@app.page("/api/stream/")
class Stream(View):
    """Server-sent events: `report`, `lag`, `status`, `minutes`, when they change; `unavailable` while they are."""

    async def get(self, request: Request) -> Response:
        """At most once a second; `?range=` is the report's. 503 when too many listen."""
        range_ = request.query.get("range", "")
        asked_period({"range": range_} if range_ else {})
        listener = broadcast.listen(range_)
        if listener is None:
            words = "too many listen to this worker: ask another, or for a range in use"
            raise RefusedError("unavailable", words, 503)
        try:
            return cast(Response, await _stream(cast(web.Request, request), listener))
        finally:
            broadcast.leave(range_, listener)


async def _stream(request: web.Request, listener: Listener) -> web.StreamResponse:
    """Send what is new until the listener goes, reads nothing any more, or the worker ends."""
    answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
    await answer.prepare(request)
    with contextlib.suppress(ConnectionError, TimeoutError):
        await answer.write(b"retry: %d\n\n" % RETRY_MS)
        while not listener.closed:
            news = sse(await listener.next(KEEP_ALIVE_S))
            async with asyncio.timeout(STUCK_S):
                await answer.write(news)
    return answer


@app.page("/api/history/")
class History(View):
    """The strip: a row for each minute, and marks of what happened."""

    async def get(self, request: Request) -> Response:
        """`{"minutes": [{from, hole, published, failed, filtered, lag, …}], "marks": [{at, kind, what}]}`."""
        asked = period_or(request.query, USUAL)
        if asked.until - asked.since > MAX_MINUTES * MINUTE_MS:
            raise RefusedError("bad request", f"the strip shows {MAX_MINUTES // 1440} days at most", 400)
        return await from_owner(self, request, lambda: _strip(asked))
