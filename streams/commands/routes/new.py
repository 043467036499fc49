"""This module is the command `routes new`: a folder with filter, mapping, schema and example, from a real event."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from processors.event.errors import MalformedEventError, RouteError
from processors.event.strict_json import parse_object
from processors.routes.authoring.new_route import route_files
from settings import load_settings
from streams.commands.routes.listing import folder_of
from streams.commands.terminal.options import folder_option, refuse

EPILOG = """\b
Examples:
  genesys-eventbridge routes new vip-calls --from event.json
  genesys-eventbridge failures show EVENT_ID --json | jq '.records[0].record.originalEvent' \\
    | genesys-eventbridge routes new vip --from -

Exit codes: 0 made, 2 nothing was written (one line says why).
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@click.option(
    "--from",
    "file",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file that holds an event as it stands in `raw`; - is stdin.",
)
@folder_option
@click.pass_context
def new(context: click.Context, name: str, file: Path, routes_dir: Path | None) -> None:
    """Make a route that takes events like one, with that event as its first example.

    It compiles and its example holds; then it is yours: narrow the filter, name the fields, say in the schema what must
    be there. A worker takes it over from ROUTES_DIR while it runs.
    """
    folder = folder_of(context, load_settings(), routes_dir) / name
    if folder.exists():
        refuse(f"{folder} is there already: choose another name, or remove it")
    try:
        value = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        files = route_files(name, parse_object(value))
    except OSError as error:
        refuse(f"{file} cannot be read: {error.strerror}")
    except (MalformedEventError, RouteError, ValueError) as error:
        refuse(f"no route of {file}: {error}")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        refuse(f"{folder} cannot be written: {error.strerror}")
    print(f"made {folder}: {', '.join(files)}")
    print("next: look at filter.jsonata and mapping.jsonata, then `genesys-eventbridge routes test`")
