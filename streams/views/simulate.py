"""This module tries an event on the routes, or on texts of a route that is being written; it publishes nothing."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
from faust.web import Request, Response, View

from processors.event.errors import MalformedEventError
from processors.event.formats import time_text
from processors.event.json_places import syntax_error
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.report import report
from processors.routes.draft import Fault
from processors.routes.outcome import Failed, Filtered, Mapped, Outcome
from processors.routes.routes import Encoded, Raw
from processors.routes.simulation import Question, described, is_whole, question, simulated_event
from streams.app import app
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.draft_runner import TooManyDraftsError
from streams.views.common.answers import RefusedError, now_ms, refusing
from streams.views.playground.drafts import draft_for


class Simulate(View):
    """POST a whole event, the short form, or `{event, filter, mapping, schema, route}` (docs/dashboard.md)."""

    async def post(self, request: Request) -> Response:
        """200 simulated (`outcome`: mapped or filtered), 400 validation_failed, 422 for a body of another shape.

        Texts of one's own were tried whatever came of them: that is 200, and `outcome` says what came.
        """
        started = time.perf_counter()
        try:
            body = parse_object(await request.read())
            asked = question(body)
            if asked is None:
                asked = Question(orjson.dumps(_event(body)).decode())
        except (MalformedEventError, ValueError) as error:
            return self.json({"status": "invalid_request", "error": str(error)}, status=422)
        if asked.route is not None and app.routes.get(asked.route) is None and not asked.is_draft:
            raise RefusedError("not found", f"no route {asked.route!r}", 404)
        try:
            with refusing("busy", 503, TooManyDraftsError), refusing("unavailable", 503, SandboxError):
                result = await (_draft(asked) if asked.is_draft else _routes(asked))
        except MalformedEventError as error:
            return self.json({"status": "invalid_request", "error": str(error)}, status=422)
        result["latencyMs"] = round((time.perf_counter() - started) * 1000, 3)
        status = 400 if result["status"] == "validation_failed" and not asked.is_draft else 200
        return self.bytes(orjson.dumps(result), content_type="application/json", status=status)


def _event(body: JsonObject) -> JsonObject:
    """The event that a body is, or that the short form means."""
    if is_whole(body):
        return body
    now = time_text(datetime.now(UTC), "milliseconds")
    return simulated_event(body, interaction_id=str(uuid.uuid4()), now=now)


async def _routes(asked: Question) -> JsonObject:
    """What the routes in use make of an event, or that one which is named. Raises MalformedEventError."""
    event = parse_object(asked.event.encode())
    outcomes = [one for one in await _outcomes(event) if asked.route in (None, one[0])]
    result = described(event, outcomes, {route.name: route.engine for route in app.routes})
    tried = result.pop("routes")
    return result | {"report": {**report(app.worker_sums.total), "routes": tried}}


async def _outcomes(event: JsonObject) -> list[tuple[str, Outcome]]:
    """What each route makes of the event, within the bounds of the process stage."""
    sandbox = app.sandboxes.sandbox("simulate")
    [answer] = await sandbox.apply([Raw(orjson.dumps(event), received_at=now_ms())])
    found: dict[str, Outcome] = {route.name: Filtered() for route in app.routes}
    for one in answer.outcomes:
        if isinstance(one, Failed) and one.route is None:  # not even an event
            return [("", one)]
        found[one.route or ""] = Mapped(one.route, orjson.loads(one.value)) if isinstance(one, Encoded) else one
    return list(found.items())


async def _draft(asked: Question) -> JsonObject:
    """What texts of one's own make of an event, with everything that is wrong at once."""
    if (wrong := syntax_error(asked.event)) is not None:
        fault = Fault.at("event", f"not JSON: {wrong[1]}", asked.event, wrong[0]).as_json()
        return {"status": "invalid_event", "outcome": "invalid", "errors": [fault], "details": [], **_NOTHING}
    draft = draft_for(asked)
    found = await app.sandboxes.drafts.attempt(draft, asked.event, now_ms())
    failed = found["outcome"] in ("failed", "invalid")
    return {"status": "validation_failed" if failed else "simulated", **found, "route": asked.route}


_NOTHING: dict[str, Any] = {"takes": None, "engine": None, "transformedEvent": None}


@app.page("/simulate/")
class SimulateSlash(Simulate):
    """The same."""


@app.page("/simulate")
class SimulatePlain(Simulate):
    """The same, for those who leave the slash out."""
