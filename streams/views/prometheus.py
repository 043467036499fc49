"""This module answers Prometheus: what this worker counted, and which part of it is in trouble."""

from __future__ import annotations

from faust.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.app import app


@app.page("/metrics")
class Metrics(View):
    """Text exposition of everything in the registry."""

    async def get(self, request: Request) -> Response:
        return self.bytes(generate_latest(app.prometheus), headers={"Content-Type": CONTENT_TYPE_LATEST})
