"""This module shows the gaps on the source: times that a notification socket missed, and what was fetched for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from faust.web import Request, Response, View

from processors.event.formats import MAX_EPOCH_MS, iso
from processors.event.strict_json import JsonObject
from processors.metrics.expired import COMMAND
from processors.replay.period import Period
from streams.app import app
from streams.tables import rows
from streams.views.common.answers import period_or
from streams.views.common.table_owner import UnavailableError, ask_owner, from_owner
from streams.views.trace.backfill import is_possible

#: The time that is shown unless one is asked for.
USUAL = "24h"


@app.page("/api/gaps/")
class Gaps(View):
    """Of all workers, the newest first."""

    async def get(self, request: Request) -> Response:
        """`{"from", "to", "gaps": [{source, part, from, to, seconds, state, events, reason, command}], "backfill"}`.

        `state`: open, healed, partly healed or lost; or, of events that Kafka deleted unread, expired or acknowledged.
        `command` fetches it by hand where it is `fetchable`; `backfill`: whether this worker can do so.
        """
        asked = period_or(request.query, USUAL)
        return await from_owner(self, request, lambda: _gaps(asked))


async def gaps_of(near: Period) -> list[JsonObject]:
    """The rows of gaps of a time, from whoever owns the tables; none while nobody does."""
    if app.owner.is_here() and app.owner.are_recovered():
        found = rows.rows(app.sums, "gaps", near)
    else:
        try:
            path = f"/api/tables/gaps/?from={quote(iso(near.since))}&to={quote(iso(near.until))}"
            found = (await ask_owner(path))["rows"]
        except (UnavailableError, KeyError, TypeError):
            return []
    return [row for row in found if _is_whole(row)]


def _gaps(asked: Period) -> JsonObject:
    found = [_shown(row) for row in rows.rows(app.sums, "gaps", asked) if _is_whole(row)]
    return {"from": iso(asked.since), "to": iso(asked.until), "gaps": found, "backfill": is_possible(app.settings)}


def _is_whole(row: Mapping[str, Any]) -> bool:
    begin, end = row.get("start_ms"), row.get("end_ms")
    return isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end < MAX_EPOCH_MS


def _shown(row: Mapping[str, Any]) -> JsonObject:
    begin, end = int(row["start_ms"]), int(row["end_ms"])
    of_source = "topic" not in row
    return {
        "source": f"part {row.get('part')}" if of_source else f"{row['topic']} {row.get('part')}",
        "part": row.get("part"),
        "from": iso(begin),
        "to": iso(end),
        "seconds": round((end - begin) / 1000, 3),
        "state": row.get("state"),
        "events": row.get("events"),
        "reason": row.get("reason") or None,
        "command": f"genesys-eventbridge backfill --since {iso(begin)} --until {iso(end)}" if of_source else COMMAND,
        "fetchable": of_source,
    }
