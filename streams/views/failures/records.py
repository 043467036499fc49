"""This module shows what failed: by cluster, the newest records, and one record whole."""

from __future__ import annotations

from typing import cast

from aiohttp import web
from faust.web import Request, Response, View

from clients.kafka.ranges import RangeError
from processors.replay.redrive_form import FILTERS, selection_of
from streams.app import app
from streams.replay.background.failure_scan import State
from streams.views.common.answers import asked_period, refused, rows_wanted
from streams.views.common.bodies import WORDS, withheld

#: Records that a list shows, most that it may be asked for, and the time that it is about.
USUAL, MOST, USUAL_RANGE = 100, 1_000, "24h"

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
        try:
            asked = asked_period(query) or asked_period({"range": USUAL_RANGE})
        except ValueError as error:
            return refused(self, "bad request", str(error), 400)
        limit = rows_wanted(query.get("limit", str(USUAL)))
        if limit is None or limit > MOST:
            return refused(self, "bad request", f"limit must be a number from 1 to {MOST}", 400)
        state = query.get("state", "")
        if state not in STATES:
            return refused(self, "bad request", "state must be open or redriven", 400)
        selection = selection_of({name: query.getall(name, []) for name in FILTERS}, asked)
        try:
            found = await app.failures.list(selection, cast(State, state), limit)
        except RangeError as error:
            return refused(self, "unavailable", str(error), 503)
        return self.json(found if withheld(self) is None else {**found, "failures": [], "hidden": WORDS})


@app.page("/api/failures/{partition}/{offset}/")
class FailureRecord(View):
    """One failure."""

    async def get(self, request: Request, partition: str, offset: str) -> Response:
        """The record whole, masked by REDACT_FIELDS; its place in the topic, and the run that brought it back."""
        refusal = withheld(self)
        if refusal is not None:
            return refusal
        if not (partition.isascii() and partition.isdigit() and len(partition) < 7) or not (
            offset.isascii() and offset.isdigit() and len(offset) < 19
        ):
            return refused(self, "bad request", "a record is named by the numbers of its partition and offset", 400)
        try:
            found = await app.failures.one(int(partition), int(offset))
        except RangeError as error:
            return refused(self, "unavailable", str(error), 503)
        if found is None:
            words = f"{app.settings.topic('failures')} has no record {offset} in partition {partition} (any more)"
            return refused(self, "not found", words, 404)
        return self.json(found)
