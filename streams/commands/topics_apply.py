"""This module is the command `topics apply`: shows what would change about the topics in Kafka, then does it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import click
from aiokafka.errors import KafkaError

from clients.kafka import cluster
from clients.kafka.admin import add_partitions, create_topic, open_admin
from clients.kafka.configs import RETENTION, retention_ms, set_own
from clients.kafka.range_reader import partition_counts as known_topics
from clients.kafka.ranges import RangeError
from processors.replay.moments import milliseconds
from processors.replay.topic_changes import TopicChange, TopicState, TopicWish, planned
from settings import Settings, load_settings
from streams.commands.terminal.options import EXIT_STOPPED, json_option, quiet_logs, refuse
from streams.commands.terminal.screen import console, print_json, table
from streams.topology import TOPICS, companion_of, needed_topics, replicas_of

EPILOG = """\b
Examples:
  genesys-eventbridge topics apply --dry-run
  genesys-eventbridge topics apply --partitions raw=12 --partitions validated=12
  genesys-eventbridge topics apply --retention raw=14d --retention failures=30d --yes

Exit codes: 0 done, or nothing to do, 1 Kafka refused a change (those before it are done), 2 not begun.
"""

#: One partition has all sums: with more, another one would begin at nothing.
FIXED = {"metrics": "the sums of the tables are in one partition of it, which more partitions would move"}

#: What of a topic must be allowed for a change of it.
_RIGHTS = {"create": "Create", "partitions": "Alter", "retention": "AlterConfigs"}


class TopicValueParam(click.ParamType):
    """`TOPIC=VALUE`, the topic by its short name."""

    name = "TOPIC=N"

    def __init__(self, name: str, read: Any) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        topic, _, text = str(value).partition("=")
        if topic not in TOPICS:
            self.fail(f"{topic!r} is none of {', '.join(TOPICS)}", param, ctx)
        try:
            return topic, self._read(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _partitions(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) >= 1 and len(text) <= 5):
        raise ValueError(f"{text!r} is no number of partitions")
    return int(text)


def _kept(text: str) -> int:
    if not (kept := milliseconds(text)):
        raise ValueError(f"{text!r} keeps nothing: Kafka would delete all that the topic holds")
    return kept


@click.command(name="apply", epilog=EPILOG)
@click.option(
    "--partitions", multiple=True, type=TopicValueParam("TOPIC=N", _partitions),
    help="How many partitions a topic is to have; repeatable. Changelogs follow.",
)  # fmt: skip
@click.option(
    "--retention", multiple=True, type=TopicValueParam("TOPIC=AGE", _kept),
    help="How long a topic keeps its records: 12h, 14d; repeatable.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask on a terminal.")
@json_option
def apply(
    partitions: tuple[tuple[str, int], ...],
    retention: tuple[tuple[str, int], ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make the topics in Kafka as they are to be: missing ones, more partitions, another retention.

    Without options: what a worker makes at its start (missing topics, changelogs with too few partitions). Stop the
    workers before partitions are added to raw or validated, once nothing waits on the topic: events of an
    interaction may go to another partition afterwards, and overtake those before.
    """
    quiet_logs()
    settings = load_settings()
    wish = _wish(settings, partitions, retention)
    try:
        changes = asyncio.run(_plan(settings, wish))
    except (RangeError, ValueError) as error:
        refuse(error)
    except KafkaError as error:
        refuse(
            f"Kafka does not say how the topics are: {type(error).__name__}: {error} (allow DescribeConfigs on them)"
        )
    if not as_json:
        _show(changes)
    if changes and not dry_run and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm("Do it?", abort=True, err=True)
    done, failed = ([], "") if dry_run else asyncio.run(_do(settings, changes))
    if as_json:
        result = {"changes": [one.as_json() for one in changes], "done": len(done), "dryRun": dry_run}
        print_json(result | ({"failed": failed} if failed else {}))
    elif done:
        console().print(f"{len(done)} of {len(changes)} done", markup=False)
    if failed:
        click.echo(f"genesys-eventbridge: {failed}", err=True)
        raise SystemExit(EXIT_STOPPED)


def _wish(settings: Settings, partitions: Sequence[tuple[str, int]], retention: Sequence[tuple[str, int]]) -> TopicWish:
    """What the options ask for. Raises UsageError for what cannot be."""
    for option, given in (("--partitions", partitions), ("--retention", retention)):
        if len(dict(given)) < len(given):
            raise click.UsageError(f"{option} is given twice for one topic")
    for topic, _ in partitions:
        if topic in FIXED:
            raise click.UsageError(f"--partitions {topic}: {FIXED[topic]}")
    needed = tuple(needed_topics(settings))
    changelogs = [name for name in needed if name.endswith("-changelog")]
    return TopicWish(
        needed,
        {name: companion_of(settings, name) for name in changelogs},
        settings.kafka_topic_partitions,
        {settings.topic(name): number for name, number in partitions},
        {settings.topic(name): kept for name, kept in retention},
    )


async def _plan(settings: Settings, wish: TopicWish) -> list[TopicChange]:
    known = await known_topics(settings)
    kept = await retention_ms(settings, [name for name in wish.retention_ms if name in known])
    return planned(TopicState(known, kept), wish)


async def _do(settings: Settings, changes: Sequence[TopicChange]) -> tuple[list[TopicChange], str]:
    """Make the changes one by one; gives those that are made, and why it ended before the last."""
    done: list[TopicChange] = []
    configs = needed_topics(settings)
    for one in changes:
        try:
            if one.kind == "create":
                replicas = replicas_of(settings, (await cluster.describe(settings)).brokers)
                await create_topic(settings, one.topic, one.then, replicas, configs[one.topic])
            elif one.kind == "partitions":
                await add_partitions(settings, {one.topic: one.then})
            else:
                await _retain(settings, one)
        except KafkaError as error:
            why = cluster.why_refused(error, f"{_RIGHTS[one.kind]} on the topic")
            return done, f"{one.topic}: {error}: {why}"
        done.append(one)
    return done, ""


async def _retain(settings: Settings, change: TopicChange) -> None:
    async with open_admin(settings) as admin:
        await set_own(admin, change.topic, {RETENTION: str(change.then)})


def _show(changes: Sequence[TopicChange]) -> None:
    screen = console()
    if not changes:
        screen.print("nothing to change", markup=False)
        return
    rows = [[one.topic, one.kind, _shown(one, one.now), _shown(one, one.then)] for one in changes]
    screen.print(table("Topics", ["topic", "change", "now", "then"], rows))
    if any(one.kind == "partitions" for one in changes):
        screen.print(
            "workers that run follow within seconds; start those again whose health names the part partitions",
            markup=False,
        )


def _shown(change: TopicChange, value: int | None) -> str:
    if value is None:
        return "for ever, or not known" if change.kind == "retention" else "not there"
    if change.kind != "retention":
        return f"{value} partitions"
    return f"{value / 86_400_000:g} d" if value >= 86_400_000 else f"{value / 3_600_000:g} h"
