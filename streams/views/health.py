"""This module answers the probes: is the process alive, and is everything it needs well."""

from __future__ import annotations

from faust.web import Request, Response, View

from streams.app import app
from streams.health import health
from streams.tables import owner
from streams.worker.watchdog import standstill


@app.page("/health/live")
class Live(View):
    """200 while the process makes progress; 503 means: start it again."""

    async def get(self, request: Request) -> Response:
        stalled = standstill()
        return self.json({"live": stalled is None, "reason": stalled}, status=200 if stalled is None else 503)


@app.page("/health/ready")
class Ready(View):
    """200 while nothing is in trouble; 503 names the parts that are, and why."""

    async def get(self, request: Request) -> Response:
        troubles = health.troubles()
        return self.json({"ready": not troubles, "troubles": troubles}, status=503 if troubles else 200)


def _not_started() -> str | None:
    if app._assignment is None:
        return "Kafka has not assigned partitions yet"
    if not owner.are_recovered():
        return "the tables are being recovered"
    return None


health.check("start", _not_started)
