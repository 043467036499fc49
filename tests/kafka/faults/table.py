"""This module shows the results: a table for people, one line of JSON for programs, a table in the docs.

A case that ran several times has one row; its figures stand side by side (`0 0 0`), of times the worst.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rich.table import Table

from tests.kafka.faults.cases import CASES
from tests.kafka.faults.runner import RECOVERED_S, Result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- table: written by `make faults` -->", "<!-- end of table -->"

COLUMNS = (
    "case",
    "events",
    "lost",
    "duplicates",
    "out of order",
    "not in SQS",
    "full speed",
    "caught up",
    "restarts",
    "ended",
)


def for_people(results: Iterable[Result]) -> Table:
    """All results, as a table for the terminal."""
    table = Table(*COLUMNS, title="Faults")
    for runs in _by_case(results):
        table.add_row(*_cells(runs), style="" if all(run.ok for run in runs) else "bold red")
    return table


def for_programs(results: Sequence[Result]) -> str:
    """`{"cases", "failed_cases", "lost", "duplicates"}`: sums over all runs, each case named once."""
    by_case = list(_by_case(results))
    return json.dumps(
        {
            "cases": len(by_case),
            "failed_cases": [runs[0].case for runs in by_case if not all(run.ok for run in runs)],
            "lost": sum(result.lost for result in results),
            "duplicates": sum(result.account.duplicates for result in results),
        }
    )


def for_docs(results: Iterable[Result], words: str) -> str:
    """Markdown: what the run was, and a row for each case."""
    rows = [("case", "what happens", *COLUMNS[1:]), ("---",) * (len(COLUMNS) + 1)]
    for runs in _by_case(results):
        name, *figures = _cells(runs)
        rows.append((f"`{name}`", CASES[name].words, *figures))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([words, "", *lines])


def write(text: str, page: Path = PAGE) -> None:
    """Put the generated part into the page, between its marks. Raises ValueError when they are not there."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def _by_case(results: Iterable[Result]) -> Iterator[list[Result]]:
    """The runs of each case, in the order in which the cases first ran."""
    cases: dict[str, list[Result]] = {}
    for result in results:
        cases.setdefault(result.case, []).append(result)
    yield from cases.values()


def _cells(runs: Sequence[Result]) -> tuple[str, ...]:
    def each(figure: Callable[[Result], int]) -> str:
        return " ".join(str(figure(run)) for run in runs)

    failed = sum(not run.ok for run in runs)
    return (
        runs[0].case,
        str(runs[0].account.events),
        each(lambda run: run.lost),
        each(lambda run: run.account.duplicates),
        each(lambda run: run.account.disorder),
        each(lambda run: len(run.account.unmirrored)),
        _worst([run.full_speed_s for run in runs], RECOVERED_S),
        _worst([run.recovery_s for run in runs]),
        each(lambda run: run.restarts),
        f"failed {failed} of {len(runs)}" if failed else "ok",
    )


def _worst(seconds: Sequence[float | None], bound: float = math.inf) -> str:
    """The worst; nothing is worse than a run that never recovered."""
    worst = None if None in seconds else max(one for one in seconds if one is not None)
    if worst is None:
        return "never"
    return f"{worst:.1f} s{' (late)' if worst > bound else ''}"
