"""This module reads and changes what topics are configured with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from clients.kafka.admin import open_admin
from settings import Settings

RETENTION = "retention.ms"

#: Source of a configuration that was given to this very topic (KIP-226).
_OF_THE_TOPIC = 1

#: Bytes that a producer may put into one batch, where the topics take as much.
BATCH_BYTES = 262_144


async def known_configurations(settings: Settings, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Topic → all that holds for it; without those that are not there or may not be described. Raises KafkaError."""
    found: dict[str, dict[str, str]] = {}
    names = list(topics)
    if not names:
        return found
    async with open_admin(settings) as admin:
        for topic in names:
            with contextlib.suppress(KafkaError):
                found[topic], _ = await topic_config(admin, topic)
    return found


async def topic_configurations(settings: Settings, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Topic → all that holds for it. Raises KafkaError, also for one that may not be asked for it."""
    async with open_admin(settings) as admin:
        return {topic: (await topic_config(admin, topic))[0] for topic in topics}


async def retention_ms(settings: Settings, topics: Iterable[str]) -> dict[str, int | None]:
    """Topic → milliseconds after which Kafka deletes a record, None: it keeps them; without those it says nothing of.

    Raises KafkaError.
    """
    found: dict[str, int | None] = {}
    for topic, configs in (await known_configurations(settings, topics)).items():
        kept = int(configs.get(RETENTION, -1))
        deletes = kept >= 0 and "delete" in configs.get("cleanup.policy", "delete")
        found[topic] = kept if deletes else None
    return found


async def batch_bytes(settings: Settings, topics: Iterable[str]) -> int:
    """How large a batch may be so that each of these topics takes it; as the settings say where nobody tells.

    A batch counts as one message for brokers (`max.message.bytes`). Raises KafkaError.
    """
    limits = [BATCH_BYTES, settings.kafka_max_message_bytes]
    for configs in (await known_configurations(settings, topics)).values():
        limits.append(int(configs.get("max.message.bytes", BATCH_BYTES)))
    return min(limits)


async def topic_config(admin: Any, topic: str) -> tuple[dict[str, str], dict[str, str]]:
    """The configuration of a topic: all that holds, and what of it is the topic's own. Raises KafkaError."""
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(code, message, _, _, entries)] = answer.resources
    _raise(code, message)
    known = {name: (value, source) for name, value, _, source, *_ in entries}
    own = {name: value for name, (value, source) in known.items() if source == _OF_THE_TOPIC}
    return {name: value for name, (value, _) in known.items()}, own


async def set_own(admin: Any, topic: str, configs: Mapping[str, str]) -> None:
    """Give a topic these configurations beside those that are its own already. Raises KafkaError."""
    _, own = await topic_config(admin, topic)
    [answer] = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {**own, **configs})])
    [(code, message, *_)] = answer.resources
    _raise(code, message)


def _raise(code: int, message: str | None) -> None:
    if code:
        error = for_code(code)
        raise error(message or error.__name__)
