"""This module lets an operator pause a stage and let it go on, for the whole group, and shows who did what."""

from __future__ import annotations

from typing import cast

from aiohttp import web
from faust.web import Request, Response, View

from processors.event.errors import MalformedEventError
from processors.event.strict_json import parse_object
from processors.replay.actions import MAX_TEXT, PAUSABLE
from streams.app import app
from streams.views.common.answers import asked_period, refused, rows_wanted
from streams.web.access import CALLER, Caller

#: Actions that are shown unless `?limit=` says otherwise.
LIMIT = 100


def who_acts(view: View, request: Request) -> Caller | Response:
    """Who asks for a change; a refusal when his token is for reading alone."""
    who: Caller = cast(web.Request, request)[CALLER]
    if who.may_act:
        return who
    return refused(view, "forbidden", f"the token {who.name} may read alone: use one with the right act", 403)


async def _reason(request: Request) -> str:
    """Why, in the caller's words: `{"why": "…"}`, or no body. Raises ValueError."""
    body = await request.read()
    try:
        why = parse_object(body).get("why", "") if body.strip() else ""
    except MalformedEventError as error:
        raise ValueError(str(error)) from None
    if not isinstance(why, str) or len(why) > MAX_TEXT:
        raise ValueError(f"why must be a text of at most {MAX_TEXT} characters")
    return why


async def _act(view: View, request: Request, what: str, stage: str) -> Response:
    who = who_acts(view, request)
    if not isinstance(who, Caller):
        return who
    if stage not in PAUSABLE:
        return refused(
            view, "not found", f"no stage {stage[:50]!r} can be paused; there are {', '.join(PAUSABLE)}", 404
        )
    try:
        why = await _reason(request)
    except ValueError as error:
        return refused(view, "bad request", str(error), 400)
    changes = (stage in app.actions.paused) != (what == "pause")
    if changes:
        await app.actions.record(who.name, what, stage=stage, detail=why)
    pause = app.actions.paused.get(stage)
    held = {"by": pause.who, "since": pause.at, "why": pause.detail} if pause is not None else {}
    return view.json({"stage": stage, "paused": pause is not None, "changed": changes, **held})


@app.page("/api/pause/{stage}/")
class Pause(View):
    """POST pauses a stage on every worker of the group; one that starts later obeys as well."""

    async def post(self, request: Request, stage: str) -> Response:
        """`{"stage", "paused": true, "changed", "by", "since", "why"}`; the body may say `{"why": "…"}`."""
        return await _act(self, request, "pause", stage)


@app.page("/api/resume/{stage}/")
class ResumeStage(View):
    """POST lets a stage go on that an operator has paused."""

    async def post(self, request: Request, stage: str) -> Response:
        """As of a pause."""
        return await _act(self, request, "resume", stage)


@app.page("/api/actions/")
class ActionRows(View):
    """Who did what: pauses, resumes, redrives, replays and backfills."""

    async def get(self, request: Request) -> Response:
        """`{"actions": [{"at", "who", "what", "stage"?, "detail"}], "paused": {stage: words}}`, newest first."""
        try:
            asked = asked_period(request.query)
        except ValueError as error:
            return refused(self, "bad request", str(error), 400)
        limit = rows_wanted(request.query.get("limit", str(LIMIT)))
        if limit is None:
            return refused(self, "bad request", "limit must be a positive number", 400)
        found = [one.as_json() for one in app.actions.during(asked)[:limit]]
        return self.json({"actions": found, "paused": app.actions.paused_in_words()})
