"""This module lets an operator acknowledge what Kafka deleted before it was processed: health names it until then."""

from __future__ import annotations

from typing import Any

from faust.web import Request, Response, View

from processors.metrics.expired import is_expired
from streams.app import app
from streams.tables.rows import rows
from streams.views.actions import who_acts
from streams.views.common.table_owner import from_owner


@app.page("/api/acknowledge/")
class Acknowledge(View):
    """POST acknowledges every such row of the table `gaps`."""

    async def post(self, request: Request) -> Response:
        """`{"acknowledged": [row, …]}`; answered by the worker that owns the tables."""
        who = who_acts(request)

        async def answer() -> dict[str, Any]:
            found = [row for row in rows(app.sums, "gaps") if is_expired(row)]
            await app.expired.acknowledge(found)
            if found:
                number = sum(row["events"] for row in found)
                await app.actions.record(who.name, "acknowledge", detail=f"{number} events that Kafka deleted unread")
            return {"acknowledged": found}

        return await from_owner(self, request, answer)
