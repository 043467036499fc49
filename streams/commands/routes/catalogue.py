"""This module is the command `routes export`: what consumers need to know of what will be on the bus."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from processors.routes.authoring.catalogue import async_api, messages
from settings import load_settings
from streams.commands.routes.listing import folder_of
from streams.commands.terminal.options import folder_option, refuse
from streams.commands.terminal.screen import show_warnings
from streams.routes.load import compiled_routes

EPILOG = """\b
Example:
  genesys-eventbridge routes export ./for-consumers

Exit codes: 0 written, 2 a route is wrong, or the folder cannot be written.
"""


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@folder_option
@click.pass_context
def export(context: click.Context, folder: Path, routes_dir: Path | None) -> None:
    """Write an AsyncAPI document, a rule pattern and the schema of the delivered event for each route.

    Sources and detail-types are those that the routes make of their examples. Files: asyncapi.json, and for each route
    in rules an EventBridge event pattern, in schemas the JSON Schema (draft 4) of what a rule's target gets.
    """
    settings = load_settings()
    routes = asyncio.run(compiled_routes(settings, folder_of(context, settings, routes_dir)))
    found, untold = messages(routes)
    files: dict[str, Any] = {
        "asyncapi.json": async_api(found, settings.eventbus_name, version("genesys-eventbridge")),
        **{str(Path("rules", f"{one.route.name}.json")): one.pattern for one in found},
        **{str(Path("schemas", f"{one.route.name}.json")): one.schema for one in found},
    }
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        refuse(f"{folder} cannot be written: {error.strerror}")
    print(f"{len(files)} files of {len(found)} routes in {folder}")
    show_warnings((name, ["left out: no example shows what it puts on the bus"]) for name in untold)
