"""This module writes what other routes would change as one page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from html import escape

from processors.replay.comparison import Comparison
from streams.commands.terminal.screen import as_json, sides
from streams.replay.replay import ReplayProgress

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>What other routes would change</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem;
        color: #1b1f24; background: #fff }}
table {{ border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }}
th, td {{ border: 1px solid #d0d7de; padding: .3rem .6rem; text-align: left; vertical-align: top }}
th {{ background: #f3f5f7 }}
td {{ overflow-wrap: anywhere; white-space: pre-wrap }}
summary {{ cursor: pointer; font-weight: 600 }}
</style>
<h1>What other routes would change</h1>
<p>{source}, tried on {routes_dir}, compared with {against}:
{read} events read, {changed} would change, {unchanged} would not.</p>
{sections}
</html>
"""


def comparison_page(source: str, routes_dir: str, against: str, progress: ReplayProgress) -> str:
    """The comparison: counts, fields, causes, and the examples of each route and kind."""
    comparison = progress.comparison
    return _PAGE.format(
        source=escape(source),
        routes_dir=escape(routes_dir),
        against=escape(against),
        read=progress.read,
        changed=comparison.events,
        unchanged=comparison.unchanged,
        sections="\n".join(_sections(comparison)),
    )


def _sections(comparison: Comparison) -> Iterable[str]:
    counts = [(route, change, number) for (route, change), number in sorted(comparison.counts.items())]
    yield from _section("By route", ("route", "change", "events"), counts)
    fields = [(route, path, one.events, *sides(one.first, as_json)) for route, path, one in comparison.most_changed()]
    yield from _section("Mapped differently", ("route", "field", "events", "now, for one", "then"), fields)
    causes = [(one.route, one.stage, one.error, one.path, number) for one, number in comparison.causes.most_common()]
    yield from _section("Would fail", ("route", "stage", "error", "path", "events"), causes)
    for route, change in sorted(comparison.counts):
        kept = [one for one in comparison.first if (one.route, one.change) == (route, change)]
        places = [(one.origin, place) for one in kept for place in one.places]
        rows = [(origin, place.path, *sides(place, partial(as_json, indent=1))) for origin, place in places]
        if rows:
            shown = f"{route or '(no event)'}: {change} ({len(kept)} of {comparison.counts[route, change]})"
            inside = _table(("record", "where", "now", "then"), rows)
            yield f"<details><summary>{escape(shown)}</summary>{inside}</details>"


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterable[str]:
    if rows:
        yield f"<h2>{escape(title)}</h2>{_table(columns, rows)}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
