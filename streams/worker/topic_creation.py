"""This module makes the topics that a worker needs and that are missing, and waits until every broker knows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError

from clients.kafka import admin, cluster
from clients.kafka.retention import keep_long_enough
from settings import Settings, SettingsError
from streams.topology import (
    companion_of,
    kept_ms,
    needed_topics,
    replicas_of,
    short_changelogs,
    short_fix,
    topic_configs,
)

log = structlog.get_logger(__name__)

#: Seconds to wait for brokers that do not answer.
PATIENCE_S = 60.0

Found = TypeVar("Found")


async def create_topics(settings: Settings, found: cluster.Cluster) -> None:
    """Make what is missing; a changelog with as many partitions as its companion has (Faust demands it).

    One from an earlier start keeps its rows as long as the settings want now. `found`: what there is. Raises
    SettingsError for what an operator has to change.
    """
    needed = needed_topics(settings)
    if settings.kafka_create_topics:
        replicas = replicas_of(settings, found.brokers)
        known = dict(found.partitions)
        for name, configs in needed.items():
            if name not in known:
                known[name] = (
                    settings.kafka_topic_partitions
                    if name in topic_configs(settings)
                    else known[companion_of(settings, name)]
                )
                await _create(settings, name, known[name], replicas, configs)
        if known.keys() != found.partitions.keys():  # one that another worker was quicker to make may have others
            known = await _present(settings, needed)
        if short := short_changelogs(settings, known):
            await _add_partitions(settings, short)
        older = {name: ms for name, ms in kept_ms(settings).items() if name in found.partitions}
        if older:
            await keep_long_enough(settings, older)
    _fit(settings, await _present(settings, needed))


async def _waited_for(ask: Callable[[], Awaitable[Found]], refusal: Callable[[KafkaError], str]) -> Found:
    """What the brokers answer; those that cannot just now, as while they choose a controller, are waited for."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not cluster.is_unreachable(error) or time.monotonic() > ends:
                raise SettingsError(refusal(error)) from None
            log.warning("waiting", on=refusal(error))
        await asyncio.sleep(2.0)


async def _create(settings: Settings, name: str, partitions: int, replicas: int, configs: dict[str, str]) -> None:
    remedy = f"create it with {partitions} partitions, fix KAFKA_REPLICATION_FACTOR, or allow Create on the topic"
    await _waited_for(
        lambda: admin.create_topic(settings, name, partitions, replicas, configs),
        lambda error: f"topic {name} cannot be created: {error} ({remedy})",
    )
    log.info("topic created", topic=name, partitions=partitions, replicas=replicas)


async def _add_partitions(settings: Settings, wanted: Mapping[str, int]) -> None:
    await _waited_for(
        lambda: admin.add_partitions(settings, wanted),
        lambda error: f"{', '.join(wanted)}: partitions cannot be added: {error} ({short_fix(wanted)})",
    )
    log.info("partitions added", topics=wanted)


async def _present(settings: Settings, needed: Iterable[str]) -> dict[str, int]:
    """Wait until every broker tells of the topics: Faust leaves out of an assignment what it does not know."""
    for _ in range(20):
        known = await _waited_for(
            lambda: cluster.describe(settings, touch=needed),
            lambda error: f"the topics cannot be seen: {cluster.why_refused(error, 'Describe on them')}",
        )
        missing = [name for name in needed if name not in known.partitions]
        if not missing:
            return known.partitions
        await asyncio.sleep(0.5)
    raise SettingsError(f"topics {', '.join(missing)} are missing: create them or set KAFKA_CREATE_TOPICS=true")


def _fit(settings: Settings, partitions: Mapping[str, int]) -> None:
    for name in needed_topics(settings):
        companion = companion_of(settings, name)
        if name.endswith("-changelog") and partitions[name] != partitions[companion]:
            raise SettingsError(
                f"topic {name} has {partitions[name]} partitions and {companion} has {partitions[companion]}: "
                f"stop the workers and delete {name}"
            )
