"""This module is the command `routes test`: it runs every route's examples, though others are wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
from rich.text import Text

from processors.event.errors import RouteError
from processors.routes.differences import Difference
from processors.routes.examples import TriedExample, run_examples, second_opinion
from processors.routes.route import Route
from settings import EXIT_USAGE, load_settings
from streams.commands.routes.listing import folder_of
from streams.commands.terminal.options import EXIT_STOPPED, folder_option, json_option
from streams.commands.terminal.screen import brief, console, print_json, show_warnings, sides, table
from streams.routes.load import each_route

EPILOG = """\b
Examples:
  genesys-eventbridge routes test
  genesys-eventbridge routes test --routes-dir ./new-schemas --json

Exit codes: 0 fine, 1 an example does not hold, 2 a route is wrong; the others are run all the same.
"""


@click.command(epilog=EPILOG)
@folder_option
@json_option
@click.pass_context
def test(context: click.Context, routes_dir: Path | None, as_json: bool) -> None:
    """Run every route's examples and show what differs; a route that is wrong does not keep the others from it."""
    settings = load_settings()
    found = asyncio.run(each_route(settings, folder_of(context, settings, routes_dir)))
    fit = {name: route for name, route in found.items() if isinstance(route, Route)}
    wrong = {name: str(error) for name, error in found.items() if isinstance(error, RouteError)}
    tried = {name: run_examples(route, second_opinion(route)) for name, route in fit.items()}
    failed = sum(not one.holds for ones in tried.values() for one in ones)
    if as_json or context.obj[1]:
        _print(tried, failed, wrong, fit)
    else:
        _show(tried, failed)
        show_warnings((name, route.texts.warnings) for name, route in fit.items())
        for name, reason in wrong.items():
            console().print(
                Text.assemble(("wrong ", "bold red"), reason if reason.startswith(name) else f"{name}: {reason}")
            )
    sys.exit(EXIT_USAGE if wrong else EXIT_STOPPED if failed else 0)


def _print(
    tried: Mapping[str, list[TriedExample]], failed: int, wrong: Mapping[str, str], fit: Mapping[str, Route]
) -> None:
    total = sum(map(len, tried.values()))
    by_route = {name: [one.as_json() for one in ones] for name, ones in tried.items()}
    warnings = {name: list(route.texts.warnings) for name, route in fit.items() if route.texts.warnings}
    print_json({"examples": total, "failed": failed, "routes": by_route, "warnings": warnings, "wrong": dict(wrong)})


def _show(tried: Mapping[str, list[TriedExample]], failed: int) -> None:
    screen = console()
    for name, ones in tried.items():
        rows: list[list[str | Text]] = [[one.name, _verdict(one), "\n".join(_differences(one))] for one in ones]
        screen.print(table(name, ["example", "", "expected → found"], rows))
    total = sum(map(len, tried.values()))
    screen.print(f"{total - failed} of {total} examples hold", markup=False)


def _verdict(one: TriedExample) -> Text:
    return Text("ok", style="green") if one.holds else Text("failed", style="bold red")


def _differences(one: TriedExample) -> list[str]:
    notes = [one.note] if one.note else []
    if one.holds:
        return notes
    # An outcome of another kind is best described in words; it differs as a whole.
    whole = not one.places or any(place.path == "the result" for place in one.places)
    return [*([one.mismatch] if whole else map(_in_words, one.places)), *notes]


def _in_words(place: Difference) -> str:
    return f"{place.path}: {' → '.join(sides(place, partial(brief, most=80)))}"
