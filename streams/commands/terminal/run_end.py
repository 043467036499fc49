"""This module ends a command that goes through a range: it tells the result, and how to go on where it stopped."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import click

from clients.kafka.ranges import MissingRange, RangeError
from processors.event.strict_json import JsonObject
from streams.commands.terminal.options import EXIT_MISSING, EXIT_STOPPED
from streams.commands.terminal.screen import print_json


class Progress(Protocol):
    """How far a run came; `stopped`: why it ended before its end."""

    stopped: str


@contextmanager
def stopped_by_kafka(progress: Progress) -> Iterator[None]:
    """Have a range that cannot be read any more stop the run, whose result is told all the same."""
    try:
        yield
    except RangeError as error:
        progress.stopped = str(error)


def end_run(
    result: JsonObject,
    show: Callable[[], None],
    *,
    as_json: bool,
    stopped: str = "",
    limited: bool = False,
    resume: str = "",
    missing: Sequence[MissingRange] = (),
) -> None:
    """Tell the result as JSON or by `show`, and name the command to go on with.

    Exit 1 when it was stopped, 3 when what was asked for by its offsets is not there.
    """
    if missing:
        result = result | {"missing": [_as_json(one) for one in missing]}
    if as_json:
        print_json(result | ({"stopped": stopped} if stopped else {}) | ({"resume": resume} if resume else {}))
    else:
        show()
    if resume and (stopped or limited):
        click.echo(f"genesys-eventbridge: {stopped or 'the limit is reached'}; to go on:\n  {resume}", err=True)
    for one in missing:
        click.echo(f"genesys-eventbridge: {one}", err=True)
    if stopped or missing:
        raise SystemExit(EXIT_STOPPED if stopped else EXIT_MISSING)


def _as_json(one: MissingRange) -> JsonObject:
    why = "expired" if one.expired else "beyond the end"
    return {"partition": one.partition, "from": one.first, "to": one.end, "count": one.count, "why": why}


def command_line(name: str, options: Mapping[str, object], flags: Mapping[str, bool], more: Iterable[str] = ()) -> str:
    """The command as one types it: options that have a value, flags that are set, and more arguments."""
    given = [part for option, value in options.items() if value is not None for part in (option, str(value))]
    given += [flag for flag, is_set in flags.items() if is_set]
    return shlex.join(["genesys-eventbridge", name, *given, *more])
