"""This module has the producer know a partition before anything is sent to it.

aiokafka's producer asserts that it does (aiokafka/producer/producer.py, `_partition`). When a topic was given more
partitions, the group may hand a worker one that its producer has not heard of: its metadata may be minutes old, and
the assertion would end the worker.
"""

from __future__ import annotations

from typing import Any

from aiokafka.errors import UnknownTopicOrPartitionError


async def know(client: Any, topic: str, partition: int) -> None:
    """Ask the brokers for the partition unless the producer's client knows it.

    Raises UnknownTopicOrPartitionError when they do not know it either, yet.
    """
    if partition in await client._wait_on_metadata(topic):
        return
    await client.force_metadata_update()
    if partition not in await client._wait_on_metadata(topic):
        raise UnknownTopicOrPartitionError(f"{topic} has no partition {partition} yet")
