"""This module sees that a changelog keeps its rows as long as the settings want, also when they were raised since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from clients.kafka.admin import open_admin
from clients.kafka.configs import RETENTION, set_own, topic_config
from settings import Settings

log = structlog.get_logger(__name__)

_FIX = "allow DescribeConfigs and AlterConfigs on the topic, or set its retention.ms: a takeover knows too little else"


async def keep_long_enough(settings: Settings, wanted_ms: Mapping[str, int]) -> None:
    """Raise the retention of the topics that keep less than wanted. What Kafka does not let us is logged."""
    try:
        async with open_admin(settings) as admin:
            await lengthen(admin, wanted_ms)
    except KafkaError as error:
        log.warning("retention not looked at", topics=sorted(wanted_ms), reason=type(error).__name__, fix=_FIX)


async def lengthen(admin: Any, wanted_ms: Mapping[str, int]) -> None:
    """The same with an admin client. A retention that is longer, or for ever, is somebody's wish and stays."""
    for topic, wanted in wanted_ms.items():
        try:
            known, _ = await topic_config(admin, topic)
            kept = int(known.get(RETENTION, -1))
            if 0 <= kept < wanted:
                await set_own(admin, topic, {RETENTION: str(wanted)})
                log.info("retention raised", topic=topic, from_ms=kept, to_ms=wanted)
        except KafkaError as error:
            log.warning("retention may be too short", topic=topic, wanted_ms=wanted, reason=str(error), fix=_FIX)
