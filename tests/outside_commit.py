"""This module commits offsets as a program does that is no member of the group: those of a tool, or of nobody yet."""

from __future__ import annotations

import asyncio

from confluent_kafka import Consumer, TopicPartition


async def commit(bootstrap_servers: str, group: str, topic: str, offset: int) -> None:
    """Commit an offset of the topic's first partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": group})
    place = TopicPartition(topic, 0, offset)
    await asyncio.to_thread(consumer.commit, offsets=[place], asynchronous=False)
    consumer.close()
