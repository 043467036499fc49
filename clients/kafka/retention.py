"""This module knows how long topics keep records, and sees that changelogs keep theirs as long as the settings want."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from clients.kafka import cluster, login
from settings import Settings

log = structlog.get_logger(__name__)

RETENTION = "retention.ms"

#: Source of a configuration that was given to this very topic (KIP-226).
_OF_THE_TOPIC = 1

_FIX = "allow DescribeConfigs and AlterConfigs on the topic, or set its retention.ms: a takeover knows too little else"


async def keep_long_enough(settings: Settings, wanted_ms: Mapping[str, int]) -> None:
    """Raise the retention of the topics that keep less than wanted. What Kafka does not let us is logged."""
    admin = AIOKafkaAdminClient(**login.client_options(settings), request_timeout_ms=cluster.REQUEST_MS)
    try:
        await admin.start()
        await lengthen(admin, wanted_ms)
    except KafkaError as error:
        log.warning("retention not looked at", topics=sorted(wanted_ms), reason=type(error).__name__, fix=_FIX)
    finally:
        await admin.close()


async def lengthen(admin: Any, wanted_ms: Mapping[str, int]) -> None:
    """The same with an admin client. A retention that is longer, or for ever, is somebody's wish and stays."""
    for topic, wanted in wanted_ms.items():
        try:
            known, own = await described(admin, topic)
            kept = int(known.get(RETENTION, -1))
            if 0 <= kept < wanted:
                await _alter(admin, topic, own | {RETENTION: str(wanted)})
                log.info("retention raised", topic=topic, from_ms=kept, to_ms=wanted)
        except KafkaError as error:
            log.warning("retention may be too short", topic=topic, wanted_ms=wanted, reason=str(error), fix=_FIX)


async def topic_configurations(settings: Settings, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Topic → all of its configuration that holds. Raises KafkaError, also for one that may not be asked for it."""
    admin = AIOKafkaAdminClient(**login.client_options(settings), request_timeout_ms=cluster.REQUEST_MS)
    try:
        await admin.start()
        return {topic: (await described(admin, topic))[0] for topic in topics}
    finally:
        await admin.close()


async def kept_ms(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """Topic → milliseconds after which Kafka deletes a record; without those that it keeps, or says nothing of.

    Raises KafkaError.
    """
    admin = AIOKafkaAdminClient(**login.client_options(settings), request_timeout_ms=cluster.REQUEST_MS)
    found = {}
    try:
        await admin.start()
        for topic in topics:
            with contextlib.suppress(KafkaError):  # no right to describe it, say
                known, _ = await described(admin, topic)
                kept = int(known.get(RETENTION, -1))
                if kept >= 0 and "delete" in known.get("cleanup.policy", "delete"):
                    found[topic] = kept
    finally:
        await admin.close()
    return found


async def described(admin: Any, topic: str) -> tuple[dict[str, str], dict[str, str]]:
    """The configuration of a topic: all that holds, and what of it is the topic's own."""
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(code, message, _, _, entries)] = answer.resources
    _raise(code, message)
    known = {name: (value, source) for name, value, _, source, *_ in entries}
    own = {name: value for name, (value, source) in known.items() if source == _OF_THE_TOPIC}
    return {name: value for name, (value, _) in known.items()}, own


async def _alter(admin: Any, topic: str, configs: Mapping[str, str]) -> None:
    """Give a topic these configurations: they replace all that it had of its own."""
    [answer] = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(configs))])
    [(code, message, *_)] = answer.resources
    _raise(code, message)


def _raise(code: int, message: str | None) -> None:
    if code:
        error = for_code(code)
        raise error(message or error.__name__)
