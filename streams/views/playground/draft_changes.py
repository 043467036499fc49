"""This module tells what a draft of a route would change in the last hours, line by line while it is found out."""

from __future__ import annotations

from contextlib import aclosing
from typing import cast

import orjson
import structlog
from aiohttp import web
from faust.web import Request, Response, View

from clients.kafka.ranges import RangeError
from processors.event.strict_json import JsonObject, parse_object
from processors.replay.moments import moment
from processors.replay.selection import Span
from processors.routes.route import RouteTexts
from processors.routes.simulation import QUESTION, Question, question
from streams.app import app
from streams.replay.lookup.changes import Changes, both, compared
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.draft_runner import TooManyDraftsError
from streams.views.common.answers import RefusedError, asked_object, now_ms, refusing
from streams.views.common.bodies import require_shown
from streams.views.common.concurrency import ConcurrencyLimit
from streams.views.playground.drafts import draft_for, faults, texts_of
from streams.web.middleware import HEADERS

log = structlog.get_logger(__name__)

#: Events that are compared at most, unless `most` says otherwise, and whatever it says.
DEFAULT, MAX_EVENTS = 500, 5_000

#: One comparison at a time: it takes a processor.
comparisons = ConcurrencyLimit(1, "another comparison runs on this worker; ask again when it has ended")


@app.page("/api/changes/")
class ChangesOfDraft(View):
    """POST `{route, filter, mapping, schema, since, most}`."""

    async def post(self, request: Request) -> Response:
        """Lines of JSON (`application/x-ndjson`), each further than the one before; who goes away ends it.

        `since`: an age or a time, from which on events count; 422 for texts with which no worker would start.
        """
        require_shown()
        with refusing("bad request", 400, ValueError):
            asked, span, most = _asked(await asked_object(request))
        with comparisons.turn():
            with refusing("unavailable", 503, TooManyDraftsError, SandboxError):
                draft = await _compiled(asked)
            return await _streamed(request, asked.route, draft, span, most)


def _asked(body: JsonObject) -> tuple[Question, Span, int]:
    since, most = body.pop("since", "24h"), body.pop("most", DEFAULT)
    if not set(body) <= set(QUESTION):
        raise ValueError("give any of route, filter, mapping, schema, since, most")
    asked = question({"event": {}, **body})
    assert asked is not None  # it has an event
    if type(most) is not int or not 1 <= most <= MAX_EVENTS:
        raise ValueError(f"most is a number from 1 to {MAX_EVENTS}")
    if not isinstance(since, str):
        raise ValueError("since is an age or a time")
    return asked, Span(since=moment(since, now_ms())), most


async def _compiled(asked: Question) -> RouteTexts:
    """The texts of the draft, once the desk has compiled them; refused with what is wrong."""
    draft = draft_for(asked)
    tried = await app.sandboxes.drafts.attempt(draft, "{}", 0)
    if tried["outcome"] == "invalid":
        raise RefusedError("does not compile", faults(tried), 422)
    return draft.texts(asked.route or "draft", parse_object(draft.schema.encode()))


async def _streamed(request: Request, route: str | None, draft: RouteTexts, span: Span, most: int) -> Response:
    headers = {**HEADERS, "Content-Type": "application/x-ndjson", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    changes = Changes(route or draft.name, most)
    sandbox = app.sandboxes.of(both(texts_of(route), draft))
    await response.prepare(cast(web.Request, request))
    try:
        async with aclosing(compared(app.settings, sandbox, changes, span)) as found:
            async for one in found:
                await _line(response, one.as_json())
    except (RangeError, SandboxError) as error:
        await _line(response, {**changes.as_json(), "end": "stopped", "message": str(error)})
    except ConnectionError:
        log.debug("who compared a draft has gone", route=route)
    finally:
        await sandbox.close()
    return cast(Response, response)


async def _line(response: web.StreamResponse, content: JsonObject) -> None:
    await response.write(orjson.dumps(content, default=repr) + b"\n")
