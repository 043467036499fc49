"""This module ends a command that goes through a range: it tells the result, and how to go on where it stopped."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping

import click

from processors.event.strict_json import JsonObject
from streams.commands.terminal.options import EXIT_STOPPED
from streams.commands.terminal.screen import print_json


def end_run(
    result: JsonObject, show: Callable[[], None], *, as_json: bool, stopped: str, limited: bool, resume: str
) -> None:
    """Tell the result as JSON or by `show`, and name the command to go on with; exit 1 when it was stopped."""
    if as_json:
        print_json(result | ({"stopped": stopped} if stopped else {}) | ({"resume": resume} if resume else {}))
    else:
        show()
    if resume and (stopped or limited):
        click.echo(f"genesys-eventbridge: {stopped or 'the limit is reached'}; to go on:\n  {resume}", err=True)
    if stopped:
        raise SystemExit(EXIT_STOPPED)


def command_line(name: str, options: Mapping[str, object], flags: Mapping[str, bool], more: Iterable[str] = ()) -> str:
    """The command as one types it: options that have a value, flags that are set, and more arguments."""
    given = [part for option, value in options.items() if value is not None for part in (option, str(value))]
    given += [flag for flag, is_set in flags.items() if is_set]
    return shlex.join(["genesys-eventbridge", name, *given, *more])
