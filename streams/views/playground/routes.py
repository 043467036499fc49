"""This module shows the routes in use: what they are, and how much each of them takes."""

from __future__ import annotations

from typing import Any

from faust.web import Request, Response, View

from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.metrics.counts import ROUTE_ENDS
from processors.replay.period import Period
from processors.routes.routes import route_summary
from streams.app import app
from streams.routes.folder import schema_text
from streams.tables import rows
from streams.views.common.answers import RefusedError, period_or
from streams.views.common.table_owner import from_owner

#: The time over which rates are taken, unless one is asked for.
USUAL = "1h"


@app.page("/api/routes/")
class RouteList(View):
    """Every route in use."""

    async def get(self, request: Request) -> Response:
        """`{"from", "to", "routes": [{name, description, engine, mapped, failed, published, repeated, perSecond, …}]}`.

        Counts are of `range`, or of `from` and `to`; the last hour by default.
        """
        asked = period_or(request.query, USUAL)
        return await from_owner(self, request, lambda: _routes(asked))


@app.page("/api/routes/{route}/")
class OneRoute(View):
    """One route."""

    async def get(self, request: Request, route: str) -> Response:
        """`{name, …, "files": {"filter", "mapping", "schema"}, "examples": [{name, event, expect}]}`."""
        found = app.routes.get(route)
        if found is None:
            names = ", ".join(one.name for one in app.routes)
            raise RefusedError("not found", f"no route {route!r}; there are {names}", 404)
        texts = found.texts
        files = {
            "filter": texts.filter,
            "mapping": texts.mapping,
            "schema": schema_text(app.settings.routes_dir, texts),
        }
        examples = [{"name": one.name, "event": one.event, "expect": one.expect} for one in texts.examples]
        return self.json({**_named(found), "files": files, "examples": examples})


def _routes(asked: Period) -> JsonObject:
    ends = read_ends(rows.rows(app.sums, "routes", asked))
    seconds = max(1.0, (asked.until - asked.since) / 1000)
    found = [{**_named(one), **_counted(ends.get(one.name, {}), seconds)} for one in app.routes]
    return {"from": iso(asked.since), "to": iso(asked.until), "routes": found}


def read_ends(minutes: list[JsonObject]) -> dict[str, dict[str, int]]:
    """Route → end → how many, of the rows of the table `routes`."""
    found: dict[str, dict[str, int]] = {}
    for row in minutes:
        for name, count in row.items():
            route, slash, end = name.rpartition("/")
            if slash:
                ends = found.setdefault(route, {})
                ends[end] = ends.get(end, 0) + count
    return found


def _counted(ends: dict[str, int], seconds: float) -> JsonObject:
    counts = {end: ends.get(end, 0) for end in ROUTE_ENDS}
    taken = counts["mapped"] + counts["failed"] + counts["repeated"]
    return {**counts, "perSecond": round(taken / seconds, 3)}


def _named(route: Any) -> JsonObject:
    return {**route_summary(route), "schemaOrigin": route.texts.schema_origin}
