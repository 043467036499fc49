"""This module is the command `top`: the pipeline in a terminal, with the numbers that the pages show."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from settings import Settings, load_settings
from streams.commands.terminal.ask_worker import NoWorkerError, ask, asked, url_option
from streams.commands.terminal.options import quiet_logs
from streams.commands.terminal.pipeline_screen import Json, Rates, draw, waiting
from streams.commands.terminal.screen import console, print_json
from streams.commands.terminal.stoppable import stoppable

EPILOG = """\b
Examples:
  genesys-eventbridge top
  genesys-eventbridge top --once
  genesys-eventbridge top --json | jq .report.inFlight

Exit codes: 0, 2 no worker answers when it begins, or it refuses.
"""

#: Seconds between two looks, and looks between two at the failures, which are read from Kafka.
LOOK_S, FAILURES_EACH = 1.0, 5

LIVE, FAILURES = "/api/live/", "/api/failures/?range=1h&limit=5"


@click.command(epilog=EPILOG)
@url_option
@click.option("--once", is_flag=True, help="Draw one moment and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers of one moment as JSON and end.")
def top(url: str | None, once: bool, as_json: bool) -> None:
    """Watch the pipeline: the ledger, flow with lag, workers, and what failed lately.

    Any worker answers for the group. Rates are of the last seconds, the ledger of all time. Ctrl-C ends.
    """
    quiet_logs()
    settings = load_settings()
    live = ask(settings, url, "GET", LIVE)
    if as_json:
        print_json(live)
    elif once or not sys.stdout.isatty():
        console().print(draw(live, Rates().measured(0.0, live["report"]), _failures(settings, url), ()))
    else:
        asyncio.run(_watch(settings, url))


async def _watch(settings: Settings, url: str | None) -> None:
    rates, foot = Rates(), [f"{url or settings.web_url} · Ctrl-C ends"]
    with stoppable() as stop, Live(console=Console(highlight=False), auto_refresh=False, screen=True) as screen:
        looks, failures = 0, None
        while not stop.is_set():
            if looks % FAILURES_EACH == 0:
                failures = await asyncio.to_thread(_failures, settings, url)
            looks += 1
            try:
                live = await asyncio.to_thread(asked, settings, url, "GET", LIVE)
                screen.update(
                    draw(live, rates.measured(time.monotonic(), live["report"]), failures, foot), refresh=True
                )
            except NoWorkerError as error:
                screen.update(waiting(str(error), foot), refresh=True)
            try:
                await asyncio.wait_for(stop.wait(), LOOK_S)
            except TimeoutError:
                continue


def _failures(settings: Settings, url: str | None) -> list[Json] | None:
    """What failed lately; None when it is not told."""
    try:
        found: Any = asked(settings, url, "GET", FAILURES)
    except NoWorkerError:
        return None
    return list(found["failures"])
