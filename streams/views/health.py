"""This module answers the probes: is the process alive, and is everything it needs healthy."""

from __future__ import annotations

from faust.web import Request, Response, View

from streams.app import app


@app.page("/health/live")
class Live(View):
    """200 while the process makes progress; 503 means: start it again."""

    async def get(self, request: Request) -> Response:
        stalled = app.watchdog.standstill()
        return self.json({"live": stalled is None, "reason": stalled}, status=200 if stalled is None else 503)


@app.page("/health/ready")
class Ready(View):
    """200 while nothing is in trouble; 503 names the parts that are, and why."""

    async def get(self, request: Request) -> Response:
        troubles = app.health.troubles()
        return self.json({"ready": not troubles, "troubles": troubles}, status=503 if troubles else 200)
