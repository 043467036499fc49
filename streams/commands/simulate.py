"""This module is the command `simulate`: one event through filter, mapping and schema."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.json import JSON
from rich.text import Text

from processors.event.errors import MalformedEventError
from processors.event.formats import time_text
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.routes import Routes
from processors.routes.simulation import FIELDS, event_of_example, is_short, run, simulated_event
from settings import load_settings
from streams.commands.terminal.options import EXIT_STOPPED, folder_option, json_option, quiet_logs, refuse
from streams.commands.terminal.screen import as_json as json_text
from streams.commands.terminal.screen import console, print_json, table
from streams.routes.load import compiled_routes

EPILOG = f"""\b
Examples:
  genesys-eventbridge simulate event.json
  echo '{{"priority": "high", "type": "chat"}}' | genesys-eventbridge simulate -
  genesys-eventbridge simulate schemas/interaction/examples/high-priority-call.json
  genesys-eventbridge simulate event.json --routes-dir ./new-schemas --json

FILE holds a whole event (of the event stream, or a notification), an example of a route, or the short form of
POST /simulate: any of {", ".join(FIELDS)}; what is missing is a voice call of high priority, just now.

Exit codes: 0 mapped or filtered, 1 failed, 2 no event or no routes.
"""

STYLES = {"mapped": "bold green", "filtered": "yellow", "failed": "bold red"}


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@folder_option
@json_option
def simulate(file: Path, routes_dir: Path | None, as_json: bool) -> None:
    """Run one event through filter, mapping and schema of every route; publish nothing.

    Needs neither Kafka nor AWS nor Genesys, unless a route takes its schema from the AWS Schema Registry.
    """
    quiet_logs()
    event = _event(file)
    found = asyncio.run(compiled_routes(load_settings(), routes_dir))
    result = run(Routes(found), event, received_at=time.time_ns() // 1_000_000)
    if as_json:
        print_json(result)
    else:
        _show(console(), result)
    sys.exit(EXIT_STOPPED if result["status"] == "validation_failed" else 0)


def _event(file: Path) -> JsonObject:
    """Read the file, `-` being stdin; ends with exit code 2 when it holds no event."""
    name = "stdin" if str(file) == "-" else str(file)
    try:
        value = sys.stdin.buffer.read() if name == "stdin" else file.read_bytes()
        body = parse_object(value)
        if not body:
            raise ValueError(f"an empty object: give a whole event, or any of {', '.join(FIELDS)}")
        if not is_short(body):
            event = event_of_example(body)
            return body if event is None else event
        now = time_text(datetime.now(UTC), "milliseconds")
        return simulated_event(body, interaction_id=str(uuid.uuid4()), now=now)
    except OSError as error:
        refuse(f"{name} cannot be read: {error.strerror}")
    except (MalformedEventError, ValueError) as error:
        refuse(f"{name} holds no event: {error}")


def _show(screen: Console, result: JsonObject) -> None:
    for tried in result["routes"]:
        outcome = tried["outcome"]
        screen.print(
            Text.assemble((tried["route"], "bold"), ": ", (outcome, STYLES[outcome]), (f"  ({tried['engine']})", "dim"))
        )
        if outcome == "mapped":
            screen.print(_json(tried["event"]))
            if "note" in tried:
                screen.print(tried["note"], markup=False, style="yellow")
        elif outcome == "failed":
            _show_failure(screen, tried)
    if result["outcome"] == "filtered":
        screen.print("No route takes the event: a worker would count it as filtered.", markup=False)


def _show_failure(screen: Console, tried: JsonObject) -> None:
    screen.print(f"{tried['stage']}/{tried['error']}: {tried['message']}", markup=False)
    if tried["details"]:
        rows = [[one["path"] or "(the event)", one["rule"], one.get("message", "")] for one in tried["details"]]
        screen.print(table("Violations", ["path", "rule", "message"], rows))


def _json(value: Any) -> JSON | Text:
    text = json_text(value, indent=2)
    return JSON(text) if sys.stdout.isatty() else Text(text)
