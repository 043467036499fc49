"""This module writes what was measured as one HTML file: tables, and bars drawn as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median
from typing import Any

Figures = Mapping[str, Any]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430 }
table { border-collapse: collapse; margin: .5rem 0 2rem } td, th { padding: .25rem .8rem; text-align: right }
td:first-child, th:first-child { text-align: left } tr:nth-child(even) { background: #f3f5f8 }
th { border-bottom: 2px solid #c8d0da } text { font: 13px system-ui, sans-serif } .own { fill: #2b6cb0 }
.mapping { fill: #90bbe6 }
"""

COLUMNS = {
    "events_per_second": "events/s",
    "own_us": "CPU µs an event",
    "mapping_us": "its mapping process, µs",
    "cores": "cores used",
    "beside_cores": "cores used beside it",
    "entries_a_request": "entries a request",
    "mib": "memory, MiB",
}

AGES = {"rate": "events/s", "p50_ms": "p50, ms", "p95_ms": "p95, ms", "p99_ms": "p99, ms", **COLUMNS}


def page(
    contestants: Mapping[str, Sequence[Figures]],
    routes: Sequence[Figures],
    latency: Mapping[str, Figures],
    more: Mapping[str, Mapping[str, Figures]],
    line: Figures,
) -> str:
    """The page; `more`: tables by their titles."""
    raced = {name: middle(runs) for name, runs in contestants.items()} | {"this project, 50 routes": middle(routes)}
    parts = [
        "<h1>Benchmarks</h1>",
        f"<p>Medians of {len(routes)} round(s), everybody in turn, on real Kafka and an EventBridge that takes 20 ms, ",
        "all on one machine. «Beside it» is what Kafka, the bus and whatever else ran used meanwhile.</p>",
        _table(line_rows(line), {"value": "value"}),
        "<h2>Events a second</h2>",
        _bars({name: (one["events_per_second"],) for name, one in raced.items()}),
        "<h2>CPU an event, in µs</h2>",
        _bars({name: (one["own_us"], one["mapping_us"]) for name, one in raced.items()}),
        _table(raced, COLUMNS),
        "<h2>How long an event takes, by share of the top rate</h2>",
        _bars({f"{name}, {rank}": (one[f"{rank}_ms"],) for name, one in latency.items() for rank in ("p50", "p99")}),
        _table(latency, AGES),
    ]
    for title, rows in more.items():
        parts += [f"<h2>{escape(title)}</h2>", _table(rows, COLUMNS)] if rows else []
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Benchmarks</title><style>{STYLE}</style>'
    return head + "".join(parts) + "</html>\n"


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: median(one[name] for one in runs) for name in runs[0]}


def line_rows(line: Figures) -> dict[str, Figures]:
    """The judged figures as rows."""
    return {name: {"value": value} for name, value in line.items()}


def _table(rows: Mapping[str, Figures], columns: Mapping[str, str]) -> str:
    head = "".join(f"<th>{escape(words)}</th>" for words in columns.values())
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{_shown(one.get(column))}</td>' for column in columns)}</tr>"
        for name, one in rows.items()
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:g}"


def _bars(values: Mapping[str, Sequence[float]]) -> str:
    most = max((sum(parts) for parts in values.values()), default=1) or 1
    drawn, y = [], 0
    for name, parts in values.items():
        drawn.append(f'<text x="0" y="{y + 15}">{escape(name)}</text>')
        x = 240.0
        for part, kind in zip(parts, ("own", "mapping"), strict=False):
            width = 560 * part / most
            drawn.append(f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="20"/>')
            x += width
        drawn.append(f'<text x="{x + 6:.1f}" y="{y + 15}">{_shown(sum(parts))}</text>')
        y += 26
    return f'<svg width="900" height="{y}" role="img">{"".join(drawn)}</svg>'
