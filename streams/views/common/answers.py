"""This module is the one shape of refusals, reads what many views are asked for, and writes rows as CSV."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from faust.web import Request
from faust.web.exceptions import WebError

from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.replay.period import Period, period


class RefusedError(WebError):
    """A view refuses: Faust answers `{"error": kind, "message": what to do}` for it."""

    def __init__(self, kind: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind, code=status, message=message, headers=headers)
        self.kind, self.message = kind, message

    def __str__(self) -> str:
        return self.message


@contextmanager
def refusing(kind: str, status: int, *errors: type[Exception]) -> Iterator[None]:
    """Refuse for any of `errors`, in its own words."""
    try:
        yield
    except errors as error:
        raise RefusedError(kind, str(error), status) from error


async def asked_object(request: Request) -> JsonObject:
    """The JSON object that is sent."""
    with refusing("bad request", 400, MalformedEventError):
        return parse_object(await request.read())


def now_ms() -> int:
    """Now, in epoch ms."""
    return time.time_ns() // 1_000_000


def asked_period(query: Mapping[str, str]) -> Period | None:
    """The time asked for by `range`, or by `from` and `to`; None where neither is given."""
    with refusing("bad request", 400, ValueError):
        return period(query.get("range"), query.get("from"), query.get("to"), now_ms())


def period_or(query: Mapping[str, str], usual: str) -> Period:
    """The time asked for; the range `usual` where none is."""
    found = asked_period(query) or asked_period({"range": usual})
    assert found is not None
    return found


def rows_wanted(query: Mapping[str, str], usual: int, most: int | None = None) -> int:
    """The number that `?limit=` gives, `usual` without it. Numbers of many digits are not even read."""
    text = query.get("limit", str(usual))
    limit = int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else 0
    if not 1 <= limit <= (most or limit):
        words = "a positive number" if most is None else f"a number from 1 to {most}"
        raise RefusedError("bad request", f"limit must be {words}", 400)
    return limit


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
