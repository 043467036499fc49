"""This module is the command `pause`: one stage of the whole group begins nothing until it is resumed."""

from __future__ import annotations

import asyncio
from typing import Any

import click
from aiokafka.errors import KafkaError

from clients.kafka.cluster import why_refused
from clients.kafka.ranges import RangeError
from processors.replay.actions import MAX_TEXT, PAUSABLE, Action
from settings import load_settings
from streams.commands.terminal.options import json_option, quiet_logs, refuse
from streams.commands.terminal.screen import console, print_json
from streams.replay import actions
from streams.topology import ACTIONS

EPILOG = """\b
Examples:
  genesys-eventbridge pause sink --why "the consumer is being moved"
  genesys-eventbridge resume sink
"""


@click.command(epilog=EPILOG)
@click.argument("stage", type=click.Choice(PAUSABLE))
@click.option("--why", default="", help="Shown to everybody who sees that the stage is paused.")
@json_option
def pause(stage: str, why: str, as_json: bool) -> None:
    """Pause a stage on every worker of the group, also on those that start later.

    What it has begun ends; it begins nothing more, and loses nothing: events wait in Kafka, and its lag grows. The
    source reads nothing more: what Genesys sends meanwhile is healed as after an outage. Exit codes: 0, 2 Kafka does
    not take it.
    """
    if len(why) > MAX_TEXT:
        raise click.UsageError(f"--why may have {MAX_TEXT} characters")
    done = write_or_end(actions.now("pause", stage=stage, detail=why))
    show(done, f"{stage} pauses on all workers; `genesys-eventbridge resume {stage}` lets it go on", as_json)


def write_or_end(done: Action) -> Action:
    """Write an action down, or end with one line and exit code 2."""
    quiet_logs()
    settings = load_settings()
    try:
        asyncio.run(actions.write_action(settings, done))
    except RangeError as error:
        refuse(f"Kafka does not take it: {error}")
    except KafkaError as error:
        rights = f"Write on topic {settings.topic(ACTIONS)}, and IdempotentWrite on the cluster"
        refuse(f"Kafka does not take it: {why_refused(error, rights)}")
    return done


def show(done: Action, words: str, as_json: bool) -> None:
    """What was done."""
    result: dict[str, Any] = done.as_json()
    if as_json:
        print_json(result)
    else:
        console().print(words, markup=False)
