"""This module shows the tables and the report made of them, as JSON."""

from __future__ import annotations

from faust.web import Request, Response, View

from processors.event.formats import MAX_EPOCH_MS
from processors.event.strict_json import JsonObject
from processors.metrics.history import short_iso
from processors.metrics.report import against, report
from processors.replay.period import Period
from streams.app import app
from streams.tables import rows
from streams.tables.definitions import WINDOW_S
from streams.topology import LASTING
from streams.views.common.answers import RefusedError, as_csv, asked_period, rows_wanted
from streams.views.common.table_owner import from_owner

#: Rows a page shows unless `?limit=` says otherwise.
LIMIT = 60

#: Rows of a time at most, unless `?limit=` says otherwise: a week of minutes.
MAX_ROWS = 10_080


@app.page("/api/tables/")
class Tables(View):
    """Every table with its size and address."""

    async def get(self, request: Request) -> Response:
        """`[{name, help, rows, url}]`"""

        def answer() -> list[dict[str, object]]:
            return [
                {
                    "name": name,
                    "help": table.help,
                    "rows": len(rows.rows(app.sums, name)),
                    "url": f"/api/tables/{name}/",
                }
                for name, table in app.sums.plain.items()
            ]

        return await from_owner(self, request, answer)


@app.page("/api/tables/{table}/")
class TableRows(View):
    """Rows of one table, newest window first."""

    async def get(self, request: Request, table: str) -> Response:
        """`{table, window_s, rows: [{from, to, …}]}`; `?limit=N` rows, 60 when neither it nor a time is given.

        `from` and `to`, or `range`, are ages (`2h`) or ISO times; `format=csv` gives the rows alone. A row
        says its time in epoch seconds (`from`, `to`; gaps in ms) and in ISO 8601 (`fromTime`, `toTime`).
        """
        query = request.query
        if table not in app.sums.plain:
            raise RefusedError("not found", f"no table {table!r}; there are {', '.join(app.sums.plain)}", 404)
        asked = asked_period(query)
        limit = rows_wanted(query, LIMIT if asked is None else MAX_ROWS)
        if query.get("format", "json") not in ("json", "csv"):
            raise RefusedError("bad request", "format must be json or csv", 400)
        if asked is not None and table == "totals":
            raise RefusedError("bad request", "totals are of all time: they have no from, to or range", 400)

        def answer() -> object:
            found = [with_times(row) for row in rows.rows(app.sums, table, asked)[:limit]]
            if query.get("format") == "csv":
                return self.text(as_csv(found), content_type="text/csv")
            return {"table": table, "window_s": None if table in LASTING else WINDOW_S, "rows": found}

        return await from_owner(self, request, answer)


def with_times(row: JsonObject) -> JsonObject:
    """The row with its time in ISO 8601 too, where it has one; `toTime` is null for a gap that lasts."""
    seconds = row.get("from"), row.get("to")
    moments = [1000 * one if isinstance(one, int) else None for one in seconds]
    if "start_ms" in row:
        moments = [row["start_ms"], row.get("end_ms")]
    if moments[0] is None:
        return row
    since, until = (short_iso(one) if isinstance(one, int) and 0 <= one < MAX_EPOCH_MS else None for one in moments)
    return {**row, "fromTime": since, "toTime": until}


@app.page("/api/report/")
class Report(View):
    """The ledger's law and the numbers of the log's report line, and more."""

    async def get(self, request: Request) -> Response:
        """Of all time since the tables began, or of the minutes in `?range=` (`5m`, `1h`, two moments with `/`)."""
        asked = asked_period(request.query)
        return await from_owner(self, request, lambda: report_of(asked))


_recent = rows.RecentSums(app.sums)


def report_of(asked: Period | None) -> dict[str, object]:
    """The report of some time, and whether the whole ledger balances."""
    ledger = against(report(rows.sums(app.sums)), app.group.word())
    if asked is None:
        return ledger
    law = {name: ledger[name] for name in ("missing", "balanced")}
    return {**report(_recent.of(asked), whole=False), **law}
