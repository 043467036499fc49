"""This module opens Genesys Cloud for a command, and finds out what there is to listen to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import click

from clients.genesys.queues import QueueNames
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from clients.genesys.rest.observer import Observer
from clients.genesys.topic_resolver import TopicResolver
from processors.genesys.topics.plan import TopicPlan
from settings import Settings, load_settings
from streams.commands.terminal.options import refuse

#: Seconds that Genesys gets for what must be known first; its client would wait out an outage for ever.
PATIENCE_S = 30.0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class OrganisationClient:
    """The client, what the settings mean there, and the names of the queues as far as a listing gave them."""

    rest: GenesysRest
    names: QueueNames
    plan: TopicPlan


def notification_settings() -> Settings:
    """The settings, whatever GENESYS_SOURCE is: the command speaks of notifications. Raises SettingsError."""
    settings = load_settings(genesys_source="notifications")
    settings.require_genesys(otherwise="")
    return settings


@asynccontextmanager
async def open_organisation(settings: Settings) -> AsyncIterator[OrganisationClient]:
    """Resolve the topics. Where Genesys refuses or does not answer, the command ends with one line and 2."""
    observer = Observer(on_trouble=_tell)
    async with GenesysRest.from_settings(settings, observer) as rest:
        names = QueueNames(rest)
        try:
            plan = await answered(TopicResolver(rest, settings, names).resolve(), observer)
            yield OrganisationClient(rest, names, plan)
        finally:
            await names.aclose()


async def answered(asked: Awaitable[Answer], observer: Observer) -> Answer:
    """What Genesys answers within 30 s; else the command ends with one line and 2."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asked
    except TimeoutError:
        reason = observer.reason or f"no answer within {PATIENCE_S:g} s"
        refuse(f"Genesys Cloud: {reason} (fix the network, GENESYS_REGION or GENESYS_BASE_URL)")
    except GenesysError as error:
        refuse(error)


def _tell(reason: str | None) -> None:
    if reason is not None:
        click.echo(f"genesys-eventbridge: waiting: {reason}", err=True)
