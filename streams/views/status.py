"""This module says whether the pipeline works as a whole, and how far it is behind: the same from every worker."""

from __future__ import annotations

from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.table_owner import from_owner


@app.page("/api/status/")
class Status(View):
    """The group: a row for each worker."""

    async def get(self, request: Request) -> Response:
        """`{"works", "reasons", "workers": [{"name", "state", "roles", "partitions", "troubles", …}]}`; always 200."""
        return await from_owner(self, request, app.group.status)


@app.page("/api/lag/")
class Lag(View):
    """Each partition of the flow."""

    async def get(self, request: Request) -> Response:
        """`{"asOf", "partitions": [{"topic", "partition", "end", "committed", "lag", "lagSeconds", …}]}`."""
        return await from_owner(self, request, app.group.lag)
