"""This module shows what failed: by cluster, the newest records, and one record whole."""

from __future__ import annotations

from typing import cast

from aiohttp import web
from faust.web import Request, Response, View

from clients.kafka.ranges import RangeError
from processors.replay.redrive_form import FILTERS, selection_of
from streams.app import app
from streams.replay.background.failure_scan import FailureState
from streams.views.common.answers import RefusedError, period_or, refusing, rows_wanted
from streams.views.common.bodies import WORDS, are_shown, require_shown

#: Records that a list shows, most that it may be asked for, and the time that it is about.
USUAL, MAX_LIMIT, USUAL_RANGE = 100, 1_000, "24h"

STATES = ("", "open", "redriven")


@app.page("/api/failures/")
class Failures(View):
    """What failed in a time."""

    async def get(self, request: Request) -> Response:
        """`{"from", "to", "clusters": […], "failures": […], "scanned", "complete"}`; the newest first.

        `?range=` (or `from`, `to`), `route`, `stage`, `error`, `path`, `cluster`, `key`, `event` (each may be given
        more than once), `state=open|redriven`, `limit`. `complete` is false when there was more than
        a page waits for: then `backTo` says how far back everything was read.
        """
        query = cast(web.Request, request).query
        asked, limit = period_or(query, USUAL_RANGE), rows_wanted(query, USUAL, MAX_LIMIT)
        state = query.get("state", "")
        if state not in STATES:
            raise RefusedError("bad request", "state must be open or redriven", 400)
        selection = selection_of({name: query.getall(name, []) for name in FILTERS}, asked)
        with refusing("unavailable", 503, RangeError):
            found = await app.failures.list(selection, cast(FailureState, state), limit)
        return self.json(found if are_shown() else {**found, "failures": [], "hidden": WORDS})


@app.page("/api/failures/{partition}/{offset}/")
class FailureRecord(View):
    """One failure."""

    async def get(self, request: Request, partition: str, offset: str) -> Response:
        """The record whole, masked by REDACT_FIELDS; its place in the topic, and the run that brought it back."""
        require_shown()
        if not (partition.isascii() and partition.isdigit() and len(partition) < 7) or not (
            offset.isascii() and offset.isdigit() and len(offset) < 19
        ):
            raise RefusedError("bad request", "a record is named by the numbers of its partition and offset", 400)
        with refusing("unavailable", 503, RangeError):
            found = await app.failures.one(int(partition), int(offset))
        if found is None:
            words = f"{app.settings.topic('failures')} has no record {offset} in partition {partition} (any more)"
            raise RefusedError("not found", words, 404)
        return self.json(found)
