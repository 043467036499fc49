"""This module looks whether Kafka will delete events before the group has worked them off."""

from __future__ import annotations

import time
from collections.abc import Collection

from aiokafka.errors import KafkaError

from clients.kafka.lag import LagReader
from processors.metrics.lag import expiring, partition_lags
from settings import Settings
from streams.checks.finding import Finding
from streams.topology import READ


async def check_lag(settings: Settings, existing: Collection[str]) -> list[Finding]:
    """How far the group is behind, held against the retention of the topics."""
    topics = [name for name in map(settings.topic, READ) if name in existing]
    if not topics:
        return []
    reader = LagReader(settings, topics)
    try:
        lags = partition_lags(await reader.measure(), (), now_ms := int(time.time() * 1000))
    except (KafkaError, OSError) as error:  # OSError takes in the time-outs; who may not use the group is told so above
        return [Finding("lag", True, f"cannot be looked at: {type(error).__name__}", "allow Describe on the group")]
    finally:
        await reader.close()
    behind = sum(one.lag for one in lags)
    if (soon := expiring(lags, now_ms)) is not None:
        return [Finding("lag", True, *soon)]
    return [Finding("lag", True, f"{behind} events have no end yet" if behind else "nothing waits")]
