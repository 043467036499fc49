"""This module shows the tables and the report made of them, as JSON."""

from __future__ import annotations

import re

from faust.web import Request, Response, View

from processors.metrics.counts import report
from streams.app import app
from streams.tables import rows
from streams.tables.definitions import WINDOW_S
from streams.views.owner import from_owner

#: Rows a page shows unless `?limit=` says otherwise.
LIMIT = 60


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
        """`{table, window_s, rows: [{from, to, …}]}`; `?limit=N` rows, 60 when not given."""
        if table not in app.sums.plain:
            known = ", ".join(app.sums.plain)
            return self.json({"error": "not found", "message": f"no table {table!r}; there are {known}"}, status=404)
        limit = rows_wanted(request.query.get("limit", str(LIMIT)))
        if limit is None:
            return self.json({"error": "bad request", "message": "limit must be a positive number"}, status=400)

        def answer() -> dict[str, object]:
            window = None if table in ("totals", "gaps") else WINDOW_S
            return {"table": table, "window_s": window, "rows": rows.rows(app.sums, table)[:limit]}

        return await from_owner(self, request, answer)


def rows_wanted(text: str) -> int | None:
    """The number that `?limit=` gives; None when it is none. Numbers of many digits are not even read."""
    return int(text) or None if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


@app.page("/api/report/")
class Report(View):
    """The numbers of the log's report line, and more."""

    async def get(self, request: Request) -> Response:
        """Counts since the tables began, success rate (%), latencies (ms)."""
        return await from_owner(self, request, lambda: report(rows.sums(app.sums)))
