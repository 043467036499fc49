"""This module is the one shape of refusals, reads what every table view is asked for, and writes rows as CSV."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from faust.web import Response, View

from processors.event.strict_json import JsonObject
from processors.replay.period import Period, period


def refused(view: View, error: str, message: str, status: int) -> Response:
    """`{"error": kind, "message": what to do}`."""
    return view.json({"error": error, "message": message}, status=status)


def asked_period(query: Mapping[str, str]) -> Period | None:
    """The time asked for by `range`, or by `from` and `to`. Raises ValueError."""
    return period(query.get("range"), query.get("from"), query.get("to"), int(time.time() * 1000))


def rows_wanted(text: str) -> int | None:
    """The number that `?limit=` gives; None when it is none. Numbers of many digits are not even read."""
    return int(text) or None if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def as_csv(rows: Iterable[JsonObject]) -> str:
    """Rows with a line of names above, of all that any of them has."""
    found = list(rows)
    names = list(dict.fromkeys(name for row in found for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_cell, names))
    writer.writerows([_cell(row.get(name)) for name in names] for row in found)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A cell: no object, and no text that a spreadsheet would run as a formula."""
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
