"""This module gives the integration tests one embedded broker, and ways to write, read and run commands."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from emulators.kafka import PARTITIONS, EmbeddedKafka
from tests import forked

ROOT = Path(__file__).resolve().parent.parent.parent

#: Seconds that a command gets before a test gives up on it.
COMMAND_S = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Bootstrap servers of one embedded broker for all tests; each test has topics of its own (`prefix`)."""
    with EmbeddedKafka() as kafka:
        yield kafka.bootstrap_servers


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def env(broker: str, prefix: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a command: this broker, topics of this test, no Genesys, no AWS."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_CREATE_TOPICS": "false",
        "KAFKA_TOPIC_PREFIX": prefix,
        "GENESYS_SOURCE": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLOUDWATCH_ENABLED": "false",
        "DATA_DIR": str(tmp_path),
    }


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON text on stdout."""
        return orjson.loads(self.out)


Run = Callable[..., Awaitable[Result]]


Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def launch() -> AsyncIterator[Start]:
    """Start a command with these options; what still runs at the end of the test is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def launcher(*command: str, **options: Any) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE, **options)
        started.append(process)
        return process

    yield launcher
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def start(env: dict[str, str], launch: Start) -> Start:
    """Start `genesys-eventbridge` with these arguments, its pipes open; `more` goes into the environment."""

    async def starter(*arguments: str, **more: str) -> asyncio.subprocess.Process:
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        return await launch(sys.executable, "-m", "streams", *arguments, env={**env, **more}, **pipes)

    return starter


@pytest.fixture
def run(env: dict[str, str]) -> Run:
    """Run `genesys-eventbridge` with these arguments to its end."""

    async def runner(*arguments: str, stdin: bytes = b"", **more: str) -> Result:
        ended = await asyncio.to_thread(forked.run, arguments, {**env, **more}, stdin=stdin, timeout_s=COMMAND_S)
        assert ended.code is not None, f"it still ran after {COMMAND_S:g} s: {ended.err}"
        return Result(ended.code, ended.out, ended.err)

    return runner


@pytest.fixture
async def producer(broker: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer on the broker."""
    made = AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True)
    await made.start()
    yield made
    await made.stop()


Read = Callable[[str], Awaitable[list[ConsumerRecord]]]


@pytest.fixture
async def read(broker: str) -> AsyncIterator[Read]:
    """Everything that a topic holds now, by partition and offset; the embedded broker keeps 5 MB of a partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()

    async def reader(topic: str) -> list[ConsumerRecord]:
        places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        ends = await consumer.end_offsets(places)
        if not any(ends.values()):
            return []
        left = {place for place in places if ends[place]}
        consumer.assign(list(left))
        await consumer.seek_to_beginning()
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(COMMAND_S):
            while left:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += records
                left -= {place for place in left if await consumer.position(place) >= ends[place]}
        return sorted(found, key=lambda record: (record.partition, record.offset))

    yield reader
    await consumer.stop()


@pytest.fixture
def call() -> Callable[..., bytes]:
    """A matching stream event; fields of its payload can be given."""

    def event(number: int, **payload: Any) -> bytes:
        return orjson.dumps(
            {
                "id": str(uuid.UUID(int=number)),
                "resourceType": "interaction",
                "eventType": "created",
                "createdTime": "2026-11-23T10:00:00Z",
                "payload": {"type": "voice", "priority": "high"} | payload,
            }
        )

    return event
