"""This module runs `check` as a process, where everything is there and where one thing is not."""

from __future__ import annotations

import asyncio

import pytest

from settings import Settings
from streams.topology import needed_topics
from tests import forked
from tests.kafka.broker import free_ports


@pytest.fixture
async def emulator(env, tmp_path):
    """Start an emulator by name and give what it announces; all end with the test."""
    started = []

    async def starter(name, *arguments):
        process = forked.start(f"emulators.{name}", arguments, env, tmp_path / f"{name}.json", tmp_path / f"{name}.log")
        started.append(process)
        return await asyncio.to_thread(forked.announced, process, process.out, process.err)

    yield starter
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
async def whole(emulator, env, producer, prefix):
    """Settings with which nothing is missing."""
    aws = await emulator("aws", "--bus", "orders", "--queue", "failures")
    genesys = await emulator("genesys", "--rate", "1")
    for topic in needed_topics(Settings(kafka_topic_prefix=prefix)):
        await producer.client.add_topic(topic)
    return {
        "GENESYS_BASE_URL": genesys["url"],
        "GENESYS_CLIENT_ID": genesys["clientId"],
        "GENESYS_CLIENT_SECRET": genesys["clientSecret"],
        "AWS_ENDPOINT_URL": aws["url"],
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENTBUS_NAME": "orders",
        "DLQ_QUEUE_URL": aws["queues"]["failures"],
        "WEB_PORT": str(free_ports(1)[0]),  # other tests have demos on the default one
    }


@pytest.mark.parametrize("source", ["stream", "notifications"])
async def test_nothing_fails_where_everything_is_there(run, whole, source):
    result = await run("check", "--json", **whole, GENESYS_SOURCE=source)

    told = {one["name"]: one for one in result.json["checks"]}
    assert [one for one in told.values() if one["status"] == "failed"] == []
    assert result.code == 0
    assert told["genesys"]["detail"].startswith("token from")
    assert ("genesys topics" in told) is (source == "notifications")
    assert told["event bus orders"]["status"] == told["queue failures"]["status"] == "ok"
    assert told["replicas"]["detail"] == "1 of each topic, all in sync"


@pytest.mark.parametrize(
    ("setting", "value", "row"),
    [
        ("EVENTBUS_NAME", "others", "event bus others"),
        ("GENESYS_CLIENT_SECRET", "wrong", "genesys"),
        ("KAFKA_TOPIC_PREFIX", "elsewhere.", "topics"),
    ],
)
async def test_one_thing_that_is_missing_is_the_one_that_fails(run, whole, setting, value, row):
    result = await run("check", "--json", **whole | {"GENESYS_SOURCE": "stream", setting: value})

    failed = [one["name"] for one in result.json["checks"] if one["status"] == "failed"]
    assert result.code == 1
    assert failed == [row]
