"""This module is what one would write by hand: aiokafka, the same routes, aiobotocore; two topics, by batches.

`python -m bench.contestants.bare_loop`
"""

from __future__ import annotations

import asyncio
from typing import Any

import aioboto3
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.contestants.common import AWS, IN_FLIGHT, SERVERS, Mapping, fields, requests, split, topic

BATCH = 500


async def process(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
    """raw → validated | failures"""
    mapping = Mapping()
    while True:
        sent = []
        for records in (await consumer.getmany(timeout_ms=100, max_records=BATCH)).values():
            for record in records:
                mapped, failed = split(mapping.routed(record.value))
                headers = list(record.headers)
                sent += [await producer.send(topic("validated"), one, record.key, headers=headers) for one in mapped]
                sent += [await producer.send(topic("failures"), one, record.key, headers=headers) for one in failed]
        if sent:
            await asyncio.gather(*sent)
            await consumer.commit()


async def sink(consumer: AIOKafkaConsumer, client: Any) -> None:
    """validated → EventBridge"""
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def put(entries: Any) -> None:
        async with slots:
            answer = await client.put_events(Entries=list(entries))
            assert not answer["FailedEntryCount"]

    while True:
        found = (await consumer.getmany(timeout_ms=100, max_records=BATCH)).values()
        entries = [fields(record.value) for records in found for record in records]
        if entries:
            await asyncio.gather(*map(put, requests(entries)))
            await consumer.commit()


def reader(name: str) -> AIOKafkaConsumer:
    """A consumer of one topic."""
    return AIOKafkaConsumer(topic(name), bootstrap_servers=SERVERS, group_id=f"bare-{topic(name)}",
                            enable_auto_commit=False, auto_offset_reset="earliest")  # fmt: skip


async def main() -> None:
    """Run both stages in one loop."""
    producer = AIOKafkaProducer(bootstrap_servers=SERVERS, enable_idempotence=True, linger_ms=5, max_batch_size=262_144)
    events = aioboto3.Session().client("events", **AWS)
    async with reader("raw") as raw, reader("validated") as validated, producer, events as client:
        await asyncio.gather(process(raw, producer), sink(validated, client))


if __name__ == "__main__":
    asyncio.run(main())
