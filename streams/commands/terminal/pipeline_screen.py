"""This module draws the pipeline in a terminal of 80 columns: the ledger, the flow, the workers, what failed lately."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

#: The law, as it is drawn: a part's name and its key in the report; `raw` is their sum.
LAW = (
    ("published", "published"),
    ("filtered", "filtered"),
    ("failed", "failed"),
    ("repeated", "repeated"),
    ("expired", "expired"),
    ("in flight", "inFlight"),
)

#: What flows: its words, the counter whose rate it is, and the topic that it waits on.
EDGES = (
    ("Genesys → source", "ingested", None),
    ("raw → process", "processed", "raw"),
    ("validated → sink", "published", "validated"),
    ("failures → queue", "failures", "failures"),
)

#: Workers and failures that are drawn.
MAX_WORKERS, MAX_FAILURES = 6, 5

Json = Mapping[str, Any]


@dataclass(slots=True)
class Rates:
    """Events a second over the last few measurements, by counter."""

    kept: int = 5
    _seen: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def measured(self, at: float, report: Json) -> dict[str, float]:
        """Note what was counted by `at` (seconds); there are no rates before the second time."""
        now = {name: int(report.get(name, 0)) for name in ("ingested", "published", "failures")}
        now["processed"] = sum(int(report.get(name, 0)) for name in ("validated", "filtered", "repeated"))
        self._seen.append((at, now))
        while len(self._seen) > self.kept:
            self._seen.popleft()
        (first, before), (last, _) = self._seen[0], self._seen[-1]
        if last <= first:
            return {}
        return {name: max(0, number - before[name]) / (last - first) for name, number in now.items()}


def draw(
    live: Json, rates: Mapping[str, float], failures: Sequence[Json] | None, foot: Sequence[str]
) -> RenderableType:
    """One moment. `live` as of /api/live/; `failures`: rows of /api/failures/, None where they are not to be had."""
    report = live["report"]
    parts: list[RenderableType] = [_state(live["status"]), Text(), _ledger(report), Text()]
    parts += [_flow(live["lag"]["partitions"], rates), Text(), _workers(live["status"]["workers"]), Text()]
    parts += [_failures(failures, report["failedBy"]), Text(), _line(f"{_latency(live, report)}")]
    return Group(*parts, *(_line(text) for text in foot))


def waiting(words: str, foot: Sequence[str]) -> RenderableType:
    """While no worker answers."""
    return Group(_line(words, "yellow"), *(_line(text) for text in foot))


def _line(words: str, style: str = "") -> Text:
    """One line; what is longer than the terminal is cut."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")


def _state(status: Json) -> RenderableType:
    if status["works"]:
        return _line("The pipeline works", "green")
    reasons = status["reasons"]
    shown = [Text(f"✗ {reason}", style="bold red") for reason in reasons[:3]]
    more = [_line(f"… and {len(reasons) - 3} more reasons", "red")] if len(reasons) > 3 else []
    return Group(*shown, *more)


def _ledger(report: Json) -> RenderableType:
    """The law with its numbers under the words; green when it holds, and the difference when not."""
    law = [(words, key) for words, key in LAW if key != "expired" or report.get(key)]
    table = _grid(["raw", *(words for words, _ in law)])
    numbers: list[RenderableType] = [_number(report["raw"])]
    for words, key in law:
        style = "red" if words in ("failed", "expired") and report.get(key) else "green" if words == "published" else ""
        numbers.append(Text(_number(report.get(key, 0)), style=style))
    table.add_row("raw", "= published", *(f"+ {words}" for words, _ in law[1:]), style="dim")
    table.add_row(*numbers)
    return Group(table, _verdict(report))


def _verdict(report: Json) -> Text:
    if report.get("missing"):
        return Text(f"✗ {_number(report['missing'])} missing", style="bold red")
    return (
        Text("✓ balanced", style="green")
        if report.get("balanced")
        else Text("✗ more ended than came", style="bold red")
    )


def _flow(partitions: Sequence[Json], rates: Mapping[str, float]) -> RenderableType:
    table = _grid(["flow", "events/s", "lag", "oldest", "committed"], first="left")
    table.add_row("flow", "events/s", "lag", "oldest", "committed", style="dim")
    for words, counter, topic in EDGES:
        rows = [row for row in partitions if topic is not None and re.search(rf"(^|[._-]){topic}$", row["topic"])]
        lag = sum(row["lag"] for row in rows)
        cells = [f"{rates[counter]:,.1f}" if counter in rates else "–"]
        if topic is None:
            cells += ["", "", ""]
        else:
            cells += [
                _number(lag) if rows else "–",
                _most(rows, "lagSeconds", lag),
                _most(rows, "secondsSinceCommit", 1),
            ]
        late = lag and max((row["lagSeconds"] or 0 for row in rows), default=0) > 60
        table.add_row(words, *cells, style="red" if late else "")
    return table


def _most(rows: Sequence[Json], key: str, wanted: int) -> str:
    """The largest of what is known."""
    known = [row[key] for row in rows if row[key] is not None]
    return span(max(known)) if known and wanted else "–"


def _workers(workers: Sequence[Json]) -> RenderableType:
    table = _grid(["worker", "state", "partitions", "since"], first="left")
    table.add_row(f"{len(workers)} worker{'s' * (len(workers) != 1)}", "state", "partitions", "", style="dim")
    for one in workers[:MAX_WORKERS]:
        troubles = one["troubles"]
        state = one["state"] if one["state"] != "running" else ", ".join(troubles) or "healthy"
        state = f"{state}, paused" if one["paused"] or one.get("pausedStages") else state
        owned = sum(map(len, one["partitions"].values()))
        since = max((trouble.get("seconds") or 0 for trouble in troubles.values()), default=0)
        style = "red" if troubles or one["state"] == "gone" else ""
        table.add_row(_cut(one["name"], 40), _cut(state, 22), str(owned), span(since) if troubles else "", style=style)
    return table


def _failures(failures: Sequence[Json] | None, by: Mapping[str, int]) -> RenderableType:
    if failures is None:  # the sums are all there is
        lines = [f"{_number(number):>9}  {name}" for name, number in sorted(by.items(), key=lambda item: -item[1])]
        head = "failed, by stage and error"
    else:
        lines = [_failure(one) for one in failures]
        head = "failed lately" if failures else "nothing failed lately"
    return Group(_line(head, "dim"), *(_line(line) for line in lines[:MAX_FAILURES]))


def _failure(one: Json) -> str:
    at, route = str(one.get("at") or "")[11:19], one.get("route") or "no route"
    return f"{at} {one.get('stage')}/{one.get('error')} {route}: {one.get('message')}"


def _latency(live: Json, report: Json) -> str:
    minutes = [row for row in live["minutes"]["minutes"] if not row["hole"]]
    now = minutes[-1] if minutes else {}
    rate = report.get("successRate")
    shown = "–" if rate is None else f"{rate:g} %"
    words = f"this minute p50 {_ms(now.get('p50Ms'))}, p99 {_ms(now.get('p99Ms'))} · success {shown}"
    return words + (f" · sent again {_number(report['sentAgain'])}" if report.get("sentAgain") else "")


def _grid(columns: Sequence[str], *, first: str = "right") -> Table:
    table = Table.grid(padding=(0, 1), expand=False)
    for number, _ in enumerate(columns):
        justify = "left" if number == 0 and first == "left" else "right"
        table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    return table


def _cut(text: str, most: int) -> str:
    """The beginning and the end of what is too long: workers' names differ at both."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most - most // 2 - 1) :]}"


def _number(value: int) -> str:
    return f"{value:,}"


def _ms(value: float | str | None) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:,.0f} ms"


def span(seconds: float) -> str:
    """A length of time in two figures or so."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
