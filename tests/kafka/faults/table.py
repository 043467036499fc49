"""This module shows the results: a table for people, one line of JSON for programs, a table in the docs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
    "recovery",
    "restarts",
    "ended",
)


def for_people(results: Iterable[Result]) -> Table:
    """All results, as a table for the terminal."""
    table = Table(*COLUMNS, title="Faults")
    for result in results:
        table.add_row(*_cells(result), style="" if result.ok else "bold red")
    return table


def for_programs(results: Sequence[Result]) -> str:
    """`{"cases", "failed_cases", "lost", "duplicates"}`."""
    return json.dumps(
        {
            "cases": len(results),
            "failed_cases": [result.case for result in results if not result.ok],
            "lost": sum(result.lost for result in results),
            "duplicates": sum(result.account.duplicates for result in results),
        }
    )


def for_docs(results: Iterable[Result], words: str) -> str:
    """Markdown: what the run was, and a row for each case."""
    rows = [("case", "what happens", *COLUMNS[1:]), ("---",) * (len(COLUMNS) + 1)]
    for result in results:
        name, *figures = _cells(result)
        rows.append((f"`{name}`", CASES[result.case].words, *figures))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([words, "", *lines])


def write(text: str, page: Path = PAGE) -> None:
    """Put the generated part into the page, between its marks. Raises ValueError when they are not there."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def _cells(result: Result) -> tuple[str, ...]:
    account, recovery = result.account, result.recovery_s
    late = recovery is not None and recovery > RECOVERED_S
    return (
        result.case,
        str(account.events),
        str(result.lost),
        str(account.duplicates),
        str(account.disorder),
        str(len(account.unmirrored)),
        "-" if recovery is None else f"{recovery:.1f} s{' (late)' if late else ''}",
        str(result.restarts),
        "ok" if result.ok else "failed",
    )
