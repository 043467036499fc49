"""This module draws what commands tell: a progress bar and tables, on a terminal or in a file."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from processors.routes.differences import MISSING, Difference

#: Widths of a file or pipe, where rich would fold at 80.
PLAIN_WIDTH = 160

#: Seconds between two lines of progress.
LINE_S = 10.0


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for a file."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


@contextmanager
def progress_bar(what: str, total: int, unit: str = "offsets") -> Iterator[Callable[[int], None]]:
    """A bar on stderr that a callback moves; where stderr is no terminal a line now and then."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield progress_lines(what, total, unit)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def progress_lines(
    what: str, total: int, unit: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[int], None]:
    """Say on stderr how far it is, at most once in LINE_S: a log shows that it goes on, and short runs say nothing."""
    due = clock() + LINE_S

    def moved(done: int) -> None:
        nonlocal due
        if clock() >= due and done < total:
            due = clock() + LINE_S
            print(f"{what}: {done} of {total} {unit} ({100 * done // total} %)", file=sys.stderr, flush=True)

    return moved


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Table:
    """A table whose cells are taken as they are, markup or not; columns named with a `#` are numbers."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        made.add_column(name.lstrip("#"), justify="right" if name.startswith("#") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return made


def brief(value: Any, most: int = 120) -> str:
    """JSON of a value, cut to what a table cell holds."""
    text = as_json(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def sides(place: Difference, shown: Callable[[Any], str] = brief) -> list[str]:
    """The two values of a place that differs, as they are shown."""
    return ["nothing" if side is MISSING else shown(side) for side in (place.before, place.after)]


def as_json(value: Any, *, indent: int | None = None) -> str:
    """JSON for people and programs; a lone surrogate, which no output can carry, stays an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def show_warnings(warnings: Iterable[tuple[str, Iterable[str]]]) -> None:
    """A line for each, with what it is of."""
    for name, texts in warnings:
        for text in texts:
            console().print(Text.assemble(("warning ", "yellow"), f"{name}: {text}"))


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON text on stdout, on one line."""
    print(as_json(value), flush=True)
