"""This module holds the options that commands over topics share, and how they end."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import structlog

from clients.kafka.ranges import Range, RangeBounds
from processors.event.formats import iso
from processors.replay.moments import moment
from processors.replay.selection import OffsetBounds, Span, check_offsets, parse_offset
from settings import EXIT_USAGE

EXIT_STOPPED = 1

#: Of what was asked for by its offsets some is not there any more, or not yet; the rest was read.
EXIT_MISSING = 3

#: Other routes make something else of events, and that is what the command was to fail on.
EXIT_DIFFERS = 4

Command = TypeVar("Command", bound=Callable[..., Any])


class MomentParam(click.ParamType):
    """Epoch ms, from an age or an ISO time."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return value if isinstance(value, int) else moment(value, time.time_ns() // 1_000_000)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Offset(click.ParamType):
    """An offset, with or without the partition it holds for."""

    name = "[PARTITION:]OFFSET"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value if isinstance(value, tuple) else parse_offset(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Rate(click.FloatRange):
    """Events a second: a number that one can wait by, which `nan` and `inf` are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(f"{value!r} is no number of events", param, ctx)


rate_option = click.option("--rate", type=Rate(0, min_open=True), help="Events a second, at most.")
folder_option = click.option(
    "--routes-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of routes; by default ROUTES_DIR.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


def range_options(command: Command) -> Command:
    """`--since --until --partition --from-offset --to-offset`."""
    for option in reversed(
        (
            click.option(
                "--since", type=MomentParam(), help="From this moment on: 45s, 30m, 2h, 7d ago, or an ISO time."
            ),
            click.option("--until", type=MomentParam(), help="Before this moment; written like --since."),
            click.option(
                "--partition",
                "partitions",
                type=click.IntRange(0),
                multiple=True,
                help="Only this one; repeatable.",
            ),
            click.option(
                "--from-offset",
                type=Offset(),
                multiple=True,
                help="First offset; of one partition as 3:1042.",
            ),
            click.option("--to-offset", type=Offset(), multiple=True, help="Offset to end before; as --from-offset."),
        )
    ):
        command = option(command)
    return command


def taken_bounds(given: dict[str, Any]) -> RangeBounds:
    """The bounds of the range options, which are taken out of `given`.

    Raises UsageError for a range in which nothing can be.
    """
    names = ("since", "until", "partitions", "from_offset", "to_offset")
    since, until, partitions, from_offset, to_offset = map(given.pop, names)
    if since is not None and since > time.time_ns() // 1_000_000:
        raise click.UsageError("--since must be in the past")
    try:
        span, first, end = Span(since, until), OffsetBounds(from_offset), OffsetBounds(to_offset)
        check_offsets(partitions, first, end)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return RangeBounds(span, partitions, first, end)


def span_arguments(span: Span) -> list[str]:
    """The bounds of time as arguments that mean the same at any later moment."""
    given = (("--since", span.since), ("--until", span.until))
    return [part for name, value in given if value is not None for part in (name, iso(value))]


def resume_arguments(what: Range) -> list[str]:
    """The range options with which a stopped command goes on where it stopped."""
    arguments: list[str] = []
    for partition in what.open:
        arguments += ["--from-offset", f"{partition}:{what.next[partition]}"]
        arguments += ["--to-offset", f"{partition}:{what.end[partition]}"]
    return arguments


def quiet_logs() -> None:
    """Keep log lines off the terminal and out of JSON: what goes wrong is said by the command, once."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def refuse(reason: object) -> NoReturn:
    """End with one line on stderr and exit code 2."""
    print(f"genesys-eventbridge: {reason}", file=sys.stderr)
    sys.exit(EXIT_USAGE)
