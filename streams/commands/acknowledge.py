"""This module is the command `acknowledge`: an operator knows what Kafka deleted before it was processed."""

from __future__ import annotations

import click

from settings import load_settings
from streams.commands.terminal.ask_worker import ask, url_option
from streams.commands.terminal.options import json_option
from streams.commands.terminal.screen import console, print_json, table

EPILOG = """\b
Examples:
  genesys-eventbridge acknowledge
  genesys-eventbridge acknowledge --url http://worker-2:6066 --json

Exit codes: 0 done, or nothing was to be acknowledged, 2 no worker answers, or it refuses.
"""


@click.command(epilog=EPILOG)
@url_option
@json_option
def acknowledge(url: str | None, as_json: bool) -> None:
    """Show what Kafka deleted before it was processed, and have health name it no more (docs/operations.md).

    The counts and the rows of /api/tables/gaps/ stay. What expires later is told again.
    """
    answer = ask(load_settings(), url, "POST", "/api/acknowledge/")
    if as_json:
        print_json(answer)
        return
    rows = [
        [str(row.get(name)) for name in ("topic", "part", "events", "first", "end", "reason")]
        for row in answer["acknowledged"]
    ]
    if not rows:
        console().print("nothing is to be acknowledged", markup=False)
        return
    columns = ["topic", "#partition", "#events", "#from", "#to", "what"]
    console().print(table("Acknowledged", columns, rows))
