"""This module tells which routes a worker runs, whole, so that others can be compared with them."""

from __future__ import annotations

from dataclasses import replace

import orjson
from faust.web import Request, Response, View

from streams.app import app
from streams.worker.announcement import VERSION


@app.page("/api/routes/in-use/")
class RoutesInUse(View):
    """The texts of the routes of the worker that is asked, as of now."""

    async def get(self, request: Request) -> Response:
        """`{"worker", "version", "routes": [{"name", "filter", "mapping", "schema", …}]}`; examples are left out."""
        shown = {
            "worker": app.worker_name,
            "version": VERSION,
            "routes": [replace(route.texts, examples=()) for route in app.routes],
        }
        return self.bytes(orjson.dumps(shown), content_type="application/json")
