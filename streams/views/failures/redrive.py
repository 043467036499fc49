"""This module redrives failures that somebody chose on a page, and says how far that is."""

from __future__ import annotations

from faust.web import Request, Response, View

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.replay.redrive_form import redrive_form
from streams.app import app
from streams.replay.background.redrives import AnotherRedriveError, RedriveJob
from streams.views.actions import who_acts
from streams.views.common.answers import now_ms, refusing
from streams.views.common.other_workers import from_others

PATH = "/api/redrive/"


@app.page(PATH)
class StartRedrive(View):
    """POST begins one on the worker that is asked."""

    async def post(self, request: Request) -> Response:
        """202 `{"id", "state", "worker", …}`; 409 while another runs, 422 for what is no request.

        The body has the filters of `/api/failures/`, or `records`: `[[partition, offset], …]`; `rate`, `limit`,
        `again`, and `dryRun`, which is true unless it is said to be false.
        """
        who = who_acts(request)
        with refusing("invalid request", 422, MalformedEventError, ValueError):
            asked = redrive_form(parse_object(await request.read()), now_ms())
        with refusing("busy", 409, AnotherRedriveError):
            job = app.redrives.begin(asked, who.name)
        return self.json(_as_json(job), status=202)


@app.page(PATH + "{run}/")
class OneRedrive(View):
    """One redrive."""

    async def get(self, request: Request, run: str) -> Response:
        """How far it is: `{"id", "state": "running|done|stopped|failed", "read", "total", "redriven", "worker", …}`.

        Any worker says it; the one that runs it is asked.
        """
        job = app.redrives.get(run)
        return self.json(_as_json(job)) if job is not None else await from_others(self, request, f"a redrive {run!r}")


@app.page(PATH + "{run}/stop/")
class StopRedrive(View):
    """POST ends it after what it is writing."""

    async def post(self, request: Request, run: str) -> Response:
        """The redrive as it is just now."""
        who_acts(request)
        job: RedriveJob | None = app.redrives.get(run)
        if job is None:
            return await from_others(self, request, f"a redrive {run!r}")
        app.redrives.stop(job)
        return self.json(_as_json(job))


def _as_json(job: RedriveJob) -> JsonObject:
    return {**job.as_json(), "worker": app.worker_name}
