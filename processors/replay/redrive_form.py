"""This module reads which failures a page means: filters by name, single records, and how they are to be redriven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.period import Period, period
from processors.replay.selection import FailureSelection, Span

#: Filters by their name in a query and in a body. `cluster`: violated paths, as a cluster names them.
FILTERS = ("stage", "error", "route", "path", "cluster", "key", "event")

#: Single records that one redrive may name.
MAX_RECORDS = 10_000

_TIMES = ("range", "from", "to")
_KNOWN = {*FILTERS, *_TIMES, "records", "rate", "limit", "again", "dryRun"}


def selection_of(values: Mapping[str, Sequence[str]], asked: Period | None) -> FailureSelection:
    """The failures that filters and a time mean; of one name any value fits."""
    stages, errors, routes, paths, violations, keys, events = (tuple(values.get(name, ())) for name in FILTERS)
    span = Span() if asked is None else Span(asked.since, asked.until)
    return FailureSelection(stages, errors, routes, span, keys, events, paths, violations)


def selection_in_words(selection: FailureSelection) -> str:
    """What is meant, for the record of what was done."""
    named = {
        "stage": selection.stages,
        "error": selection.errors,
        "route": selection.routes,
        "violating": selection.violations,
        "violating under": selection.paths,
        "conversation": selection.keys,
        "event": selection.event_ids,
    }
    words = [f"{name} {', '.join(values)}" for name, values in named.items() if values]
    if selection.spots:
        words.append(f"{len(selection.spots)} records")
    span = selection.span
    begin = "the beginning" if span.since is None else iso(span.since)
    return "; ".join([*words, *([] if span.until is None else [f"failed from {begin} to {iso(span.until)}"])])


@dataclass(frozen=True, slots=True)
class RedriveForm:
    """What is to be redriven, and how."""

    selection: FailureSelection
    dry_run: bool
    again: bool
    rate: float | None
    limit: int | None


def redrive_form(body: JsonObject, now_ms: int) -> RedriveForm:
    """Read what a page asks for. Raises ValueError with a sentence that says what can be written."""
    if unknown := sorted(set(body) - _KNOWN):
        raise ValueError(f"there is no {unknown[0]!r}; there are {', '.join(sorted(_KNOWN))}")
    texts = {name: _texts(name, body[name]) for name in FILTERS if body.get(name) is not None}
    since, from_, to = (_text(name, body.get(name)) for name in _TIMES)
    spots = _spots(body.get("records"))
    asked = period(since, from_, to, now_ms)
    if asked is None and not spots:
        raise ValueError('say which: "records": [[partition, offset], …], or a time by "range", or by "from" and "to"')
    return RedriveForm(
        selection=replace(selection_of(texts, asked), spots=spots),
        dry_run=_flag("dryRun", body.get("dryRun", True)),
        again=_flag("again", body.get("again", False)),
        rate=_rate(body.get("rate")),
        limit=_limit(body.get("limit")),
    )


def _texts(name: str, value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name} is a text, or a list of texts")
    return found


def _text(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is a text")
    return value


def _spots(value: Any) -> frozenset[tuple[int, int]]:
    rows = [] if value is None else value
    if not isinstance(rows, list) or len(rows) > MAX_RECORDS or not all(map(_is_spot, rows)):
        raise ValueError(f"records are at most {MAX_RECORDS} pairs of partition and offset: [[0, 1042], …]")
    return frozenset((partition, offset) for partition, offset in rows)


def _is_spot(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(type(one) is int and 0 <= one < 2**63 for one in row)


def _flag(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{name} is true or false")
    return value


def _rate(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 < value <= 1_000_000:
        raise ValueError("rate is a number of events a second, above 0")
    return float(value)


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= 1_000_000_000:
        raise ValueError("limit is a number of records, above 0")
    return value
