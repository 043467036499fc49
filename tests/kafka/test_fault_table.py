"""Tests what the fault suite says of its results, to people, programs and the docs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.kafka.faults import table
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.runner import Result
from tests.kafka.ledger import Account


def result(case: str = "throttled", *, recovery: float | None = 1.0, problem: str = "", **account) -> Result:
    figures = {"events": 10, "lost": (), "wrong": (), "duplicates": 0, "disorder": 0, "unmirrored": (), **account}
    return Result(
        case=case,
        account=Account(**figures),
        uncounted=0,
        recovery_s=recovery,
        full_speed_s=recovery,
        seconds=1.0,
        restarts=0,
        notes=(),
        problem=problem,
    )


def row(*results: Result) -> list[str]:
    """The figures of the only case, as the docs have them."""
    line = table.for_docs(results, "words").splitlines()[-1]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_several_runs_of_a_case_share_a_row():
    found = row(
        result(duplicates=3, recovery=2.0),
        result(recovery=14.9),
        result(lost=(7,), duplicates=1, disorder=2, recovery=0.5),
    )
    words = CASES["throttled"].words
    assert found == ["`throttled`", words, "10", "0 0 1", "3 0 1", "0 0 2", "0 0 0", "14.9 s", "14.9 s", "0 0 0",
                     "failed 1 of 3"]  # fmt: skip


def test_a_late_recovery_is_marked_and_a_missing_one_is_the_worst():
    assert row(result(recovery=15.1))[-4:-2] == ["15.1 s (late)", "15.1 s"], "a backlog may take its time"
    assert row(result(recovery=99.0), result(recovery=None))[-4:-2] == ["never", "never"]


@pytest.mark.parametrize(
    "bad",
    [
        {"lost": (1,)},
        {"wrong": (1,)},
        {"unmirrored": (1,)},
        {"both": (1,)},
        {"renamed": (1,)},
        {"problem": "a worker ended with 70"},
    ],
    ids=lambda bad: next(iter(bad)),
)
def test_whatever_is_wrong_fails_the_case(bad):
    one = result(**bad)
    assert not one.ok
    assert row(one)[-1] == "failed 1 of 1"
    assert json.loads(table.for_programs([result("hangs"), one])) == {
        "cases": 2,
        "failed_cases": ["throttled"],
        "lost": len(bad.get("lost", ())),
        "duplicates": 0,
    }


def test_a_filtered_event_that_nobody_counted_is_lost():
    one = Result("throttled", result().account, 1, 1.0, 1.0, 1.0, 0, ())
    assert (one.lost, one.ok) == (1, False)
    assert "1 filtered and not counted" in str(one)


def test_programs_get_one_line_with_sums_over_all_runs():
    runs = [result(duplicates=2), result("hangs"), result(lost=(1, 2)), result("hangs", duplicates=1)]
    line = table.for_programs(runs)
    assert "\n" not in line
    assert json.loads(line) == {"cases": 2, "failed_cases": ["throttled"], "lost": 2, "duplicates": 3}


def test_people_see_every_case():
    console = Console(width=200, file=io.StringIO())
    console.print(table.for_people([result("hangs", duplicates=41), result("throttled", lost=(5,))]))
    shown = console.file.getvalue()
    assert "hangs" in shown
    assert "41" in shown
    assert "failed 1 of 1" in shown


def test_the_page_keeps_what_is_around_the_table(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{table.BEGIN}\nold\n{table.END}\n\nafter\n", "utf-8")
    for _ in range(2):  # written again, it is the same
        table.write(table.for_docs([result()], "Measured now."), page)
        text = page.read_text("utf-8")
        assert text.startswith(f"before\n\n{table.BEGIN}\nMeasured now.\n\n| case |")
        assert text.endswith(f"| ok |\n{table.END}\n\nafter\n")
        assert "old" not in text


@pytest.mark.parametrize("text", ["", table.BEGIN, f"{table.END} {table.BEGIN}"], ids=["none", "no end", "turned"])
def test_a_page_without_the_marks_is_left_alone(tmp_path: Path, text: str):
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="has no"):
        table.write("new", page)
    assert page.read_text("utf-8") == text
