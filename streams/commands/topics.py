"""This module is the command `topics`: what would be listened to, and what is refused and why."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

import click

from clients.genesys.notifications.channel_api import RejectedTopic
from clients.genesys.notifications.topic_probe import tried
from processors.genesys.frames import queue_id
from processors.genesys.topics.plan import separate
from settings import Settings
from streams.commands.terminal.options import json_option, quiet_logs
from streams.commands.terminal.organisation import (
    OrganisationClient,
    answered,
    notification_settings,
    open_organisation,
)
from streams.commands.terminal.screen import console, print_json, table
from streams.commands.topics_apply import apply

EPILOG = """\b
Examples:
  genesys-eventbridge topics
  GENESYS_QUEUES='Priority*' genesys-eventbridge topics --json

Exit codes: 0 all can be listened to, 1 something is refused or nothing is there, 2 settings, credentials.
"""

EXIT_REFUSED = 1


@dataclass(frozen=True, slots=True)
class ListenedTopic:
    """One topic as it is subscribed, by whom, and the queue it is about."""

    topic: str
    channel: int
    queue: str | None
    queue_name: str | None

    def as_json(self) -> dict[str, Any]:
        return {"topic": self.topic, "channel": self.channel, "queue": self.queue, "queueName": self.queue_name}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One topic or template that is not heard, why, and the permissions that would help."""

    topic: str
    reason: str
    permissions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"topic": self.topic, "reason": self.reason, "missingPermissions": list(self.permissions)}


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it. `permissions`: what the templates need; `tried`: whether Genesys itself was asked.

    `by_conversation`: templates that are subscribed for each conversation that comes.
    """

    listened: tuple[ListenedTopic, ...]
    refused: tuple[Refusal, ...]
    permissions: dict[str, tuple[str, ...]]
    tried: bool
    by_conversation: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Channels in use, but for the time when one is replaced."""
        return len({one.channel for one in self.listened})


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.option("--trial/--no-trial", default=True, help="Ask Genesys by subscribing on a channel of its own.")
@json_option
@click.pass_context
def topics(context: click.Context, /, trial: bool, as_json: bool) -> None:
    """Show which notification topics the settings mean: topic, channel, queue. `topics apply` is about those of Kafka.

    What cannot be listened to is shown with its reason and the permissions that are missing. For those, every
    topic is subscribed on one channel that nobody reads, which is left empty then; --no-trial goes without.
    """
    if context.invoked_subcommand is not None:
        return
    quiet_logs()
    settings = notification_settings()
    found = asyncio.run(_found_topics(settings, trial))
    if as_json:
        print_json(_as_json(found))
    else:
        _show(found)
    sys.exit(EXIT_REFUSED if found.refused or not found.listened else 0)


topics.add_command(apply)


async def _found_topics(settings: Settings, trial: bool) -> Findings:
    async with open_organisation(settings) as organisation:
        plan = organisation.plan
        shares = plan.shares()
        rejected: tuple[RejectedTopic, ...] | None = None
        if trial and plan.topics:
            rejected = await answered(tried(organisation.rest, shares), organisation.rest.observer)
        refused = [Refusal(one.topic, one.reason, ()) for one in plan.refused]
        refused += [Refusal(one.topic, one.reason, one.permissions) for one in rejected or ()]
        unheard = {one.topic for one in rejected or ()}
        listened = [
            _listened(topic, channel, organisation)
            for channel, share in enumerate(shares)
            for topic in share
            if not unheard.issuperset(separate(topic))
        ]
        permissions = dict(plan.permissions or {})
        return Findings(tuple(listened), tuple(refused), permissions, rejected is not None, plan.conversation)


def _listened(topic: str, channel: int, organisation: OrganisationClient) -> ListenedTopic:
    queue = queue_id({"topicName": separate(topic)[0], "eventBody": {}})
    return ListenedTopic(topic, channel, queue, organisation.names.known(queue) if queue else None)


def _as_json(found: Findings) -> dict[str, Any]:
    return {
        "channels": found.channels,
        "topics": [one.as_json() for one in found.listened],
        "refused": [one.as_json() for one in found.refused],
        "permissions": {template: list(needed) for template, needed in found.permissions.items()},
        "tried": found.tried,
        "byConversation": list(found.by_conversation),
    }


def _show(found: Findings) -> None:
    screen = console()
    if found.listened:
        rows = [[one.topic, str(one.channel), one.queue_name or one.queue or ""] for one in found.listened]
        screen.print(table("Listened to", ["topic", "#channel", "queue"], rows))
    if found.refused:
        rows = [[one.topic, one.reason, ", ".join(one.permissions)] for one in found.refused]
        screen.print(table("Refused", ["topic", "reason", "missing permissions"], rows))
    needed = sorted({permission for ones in found.permissions.values() for permission in ones})
    lines = [
        f"{len(found.listened)} topics on {found.channels} channel(s), {len(found.refused)} refused",
        f"permissions that they need: {', '.join(needed) or 'none that Genesys names'}",
    ]
    if found.by_conversation:
        lines.append(f"for each conversation that comes: {', '.join(found.by_conversation)}")
    if not found.tried:
        lines.append("Genesys itself was not asked: what the OAuth client's roles lack is not seen here")
    for line in lines:
        screen.print(line, markup=False)
