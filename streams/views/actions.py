"""This module lets an operator pause a stage and let it go on, for the whole group, and shows who did what."""

from __future__ import annotations

from typing import cast

from aiohttp import web
from faust.web import Request, Response, View

from processors.replay.actions import MAX_TEXT, PAUSABLE
from streams.app import app
from streams.views.common.answers import RefusedError, asked_object, asked_period, rows_wanted
from streams.web.access import CALLER, Caller

#: Actions that are shown unless `?limit=` says otherwise.
LIMIT = 100


def who_acts(request: Request) -> Caller:
    """Who asks for a change; refused when his token is for reading alone."""
    who: Caller = cast(web.Request, request)[CALLER]
    if not who.may_act:
        raise RefusedError("forbidden", f"the token {who.name} may read alone: use one with the right act", 403)
    return who


async def _reason(request: Request) -> str:
    """Why, in the caller's words: `{"why": "…"}`, or no body."""
    why = (await asked_object(request)).get("why", "") if (await request.read()).strip() else ""
    if not isinstance(why, str) or len(why) > MAX_TEXT:
        raise RefusedError("bad request", f"why must be a text of at most {MAX_TEXT} characters", 400)
    return why


async def _act(view: View, request: Request, what: str, stage: str) -> Response:
    who = who_acts(request)
    if stage not in PAUSABLE:
        words = f"no stage {stage[:50]!r} can be paused; there are {', '.join(PAUSABLE)}"
        raise RefusedError("not found", words, 404)
    why = await _reason(request)
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
        asked, limit = asked_period(request.query), rows_wanted(request.query, LIMIT)
        found = [one.as_json() for one in app.actions.during(asked)[:limit]]
        return self.json({"actions": found, "paused": app.actions.paused_in_words()})
