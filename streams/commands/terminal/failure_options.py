"""This module holds the options by which commands select failure records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from processors.event.errors import StageName
from processors.replay.selection import FailureSelection

Command = TypeVar("Command", bound=Callable[..., Any])

#: Option -> its name in FailureSelection, in the order of the help.
NAMES = {
    "--stage": "stages",
    "--error": "errors",
    "--route": "routes",
    "--key": "keys",
    "--event-id": "event_ids",
    "--path": "paths",
}

_HELP = {
    "--stage": "Only of this stage; repeatable.",
    "--error": "Only with this error (ThrottlingException …); repeatable.",
    "--route": "Only of this route; repeatable.",
    "--key": "Only of this interaction (conversation) id; repeatable.",
    "--event-id": "Only of this event; repeatable.",
    "--path": "Only where this path, or one inside it, is violated; repeatable.",
}


def failure_options(command: Command) -> Command:
    """`--stage --error --route --key --event-id --path`; the command gets them under the names of FailureSelection."""
    for option, name in reversed(NAMES.items()):
        kind = click.Choice(get_args(StageName)) if option == "--stage" else None
        command = click.option(option, name, type=kind, multiple=True, help=_HELP[option])(command)
    return command


def taken_selection(given: dict[str, Any]) -> FailureSelection:
    """The selection of these options, which are taken out of `given`."""
    return FailureSelection(**{name: given.pop(name) for name in NAMES.values()})


def selection_arguments(chosen: FailureSelection) -> list[str]:
    """The selection as arguments again, but for its stretch of time."""
    return [part for option, name in NAMES.items() for value in getattr(chosen, name) for part in (option, value)]
