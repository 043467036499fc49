"""This module is the command `resume`: lets a stage go on that was paused, by an operator or by itself."""

from __future__ import annotations

import sys
from typing import Any

import click

from processors.replay.actions import PAUSABLE
from settings import load_settings
from streams.commands.pause import show, write_or_end
from streams.commands.terminal.ask_worker import ask, url_option
from streams.commands.terminal.options import json_option
from streams.commands.terminal.screen import console, print_json, table
from streams.replay import actions


@click.command(
    epilog="Examples: genesys-eventbridge resume sink · genesys-eventbridge resume --url http://worker-2:6066"
)
@click.argument("stage", type=click.Choice(PAUSABLE), required=False)
@url_option
@json_option
def resume(stage: str | None, url: str | None, as_json: bool) -> None:
    """Let a STAGE go on that an operator has paused; without it, what paused by itself as most events failed.

    Without STAGE one worker is asked, and asks the others of its group; WEB_TOKEN, or one of WEB_TOKENS, is sent along.
    Events that go on failing become failure records then; nothing pauses again before the failures have once ended, or
    for ten minutes. Exit codes: 0 all workers answered, 1 one did not, 2 the worker asked does not answer or refuses,
    or Kafka does.
    """
    if stage is not None:
        if url is not None:
            raise click.UsageError("a stage is resumed over Kafka, for all workers: leave --url out")
        show(write_or_end(actions.now("resume", stage=stage)), f"{stage} goes on, unless it was not paused", as_json)
        return
    workers = ask(load_settings(), url, "POST", "/api/resume/", accepts=(200, 502))["workers"]
    if as_json:
        print_json({"workers": workers})
    else:
        rows = [[worker["worker"], _result(worker)] for worker in workers]
        console().print(table("resume", ("worker", "result"), rows))
    sys.exit(1 if any("error" in worker for worker in workers) else 0)


def _result(worker: dict[str, Any]) -> str:
    if "error" in worker:
        return str(worker["error"])
    return "resumed" if worker["resumed"] else "had not paused by itself"
