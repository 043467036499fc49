"""This module tries an event on the routes; it publishes nothing."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

import orjson
from faust.web import Request, Response, View

from processors.event.errors import MalformedEventError
from processors.event.formats import time_text
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.report import report
from processors.routes.outcome import Filtered, Mapped, Outcome
from processors.routes.routes import Encoded, Raw
from processors.routes.simulation import described, simulated_event
from streams.app import app


class Simulate(View):
    """POST any of `interactionId`, `type`, `priority`, `createdTime`."""

    async def post(self, request: Request) -> Response:
        """200 simulated (`outcome`: mapped or filtered), 400 validation_failed, 422 for a body of another shape."""
        started = time.perf_counter()
        now = time_text(datetime.now(UTC), "milliseconds")
        try:
            fields = parse_object(await request.read())
            event = simulated_event(fields, interaction_id=str(uuid.uuid4()), now=now)
        except (MalformedEventError, ValueError) as error:
            return self.json({"status": "invalid_request", "error": str(error)}, status=422)
        result = described(event, await _outcomes(event), {route.name: route.engine for route in app.routes})
        tried = result.pop("routes")
        result["latencyMs"] = round((time.perf_counter() - started) * 1000, 3)
        result["report"] = {**report(app.worker_sums.total), "routes": tried}
        status = 400 if result["status"] == "validation_failed" else 200
        return self.bytes(orjson.dumps(result), content_type="application/json", status=status)


async def _outcomes(event: JsonObject) -> list[tuple[str, Outcome]]:
    """What each route makes of the event, within the bounds of the process stage."""
    sandbox = app.sandboxes.sandbox("simulate")
    [answer] = await sandbox.apply([Raw(orjson.dumps(event))])
    found: dict[str, Outcome] = {route.name: Filtered() for route in app.routes}
    for one in answer.outcomes:
        found[one.route or ""] = Mapped(one.route, orjson.loads(one.value)) if isinstance(one, Encoded) else one
    return list(found.items())


@app.page("/simulate/")
class SimulateSlash(Simulate):
    """The same."""


@app.page("/simulate")
class SimulatePlain(Simulate):
    """The same, for those who leave the slash out."""
