"""This module answers the probes: is the process alive, and is everything it needs healthy."""

from __future__ import annotations

from typing import cast

from aiohttp import web
from faust.web import Request, Response, View

from streams.app import app
from streams.web.access import CALLER

#: Reasons name buses, queues and ids: they are for who has a token, where tokens are set.
WITHHELD = "show a token to see why"


@app.page("/health/live")
class Liveness(View):
    """200 while the process makes progress; 503 means: start it again."""

    async def get(self, request: Request) -> Response:
        stalled = app.watchdog.standstill()
        return self.json({"live": stalled is None, "reason": stalled}, status=200 if stalled is None else 503)


@app.page("/health/ready")
class Readiness(View):
    """200 while nothing is in trouble; 503 names the parts that are, and why to who shows a token.

    A stage that an operator has paused is no trouble of this worker; it is named all the same.
    """

    async def get(self, request: Request) -> Response:
        troubles, paused = app.health.troubles(), app.actions.paused_in_words()
        if not cast(web.Request, request)[CALLER].is_known and app.settings.tokens:  # a probe shows no token
            troubles = {part: {**found, "reason": WITHHELD} for part, found in troubles.items()}
            paused = dict.fromkeys(paused, WITHHELD)
        answer = {"ready": not troubles, "troubles": troubles, "paused": paused}
        return self.json(answer, status=503 if troubles else 200)
