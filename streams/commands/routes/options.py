"""This module holds the options that the commands over routes share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def folder_option(command: Command) -> Command:
    """`--routes-dir`."""
    return click.option(
        "--routes-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of routes; by default ROUTES_DIR.",
    )(command)


def folder_of(context: click.Context, settings: Settings, routes_dir: Path | None) -> Path:
    """The folder that was named after the command, before it, or in the settings."""
    above: Path | None = context.obj[0]
    return routes_dir or above or settings.routes_dir
