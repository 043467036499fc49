"""Tests of the actions as a worker knows them: nothing begins before they are read, and pauses hold until a resume."""

import asyncio

import pytest

from processors.replay.actions import Action
from settings import Settings
from streams.worker.action_log import ActionLog


class Topic:
    """What Kafka has; follows as the test says."""

    def __init__(self):
        self.records, self.callbacks, self.started = [], None, asyncio.Event()

    def follower(self, settings, topic, **callbacks):
        assert topic == "genesys.actions"
        self.callbacks = callbacks
        return self

    async def run(self):
        self.started.set()
        await asyncio.Event().wait()

    def read(self):
        """As after a connection: all from the beginning."""
        self.callbacks["begin"]()
        for value in self.records:
            self.callbacks["hear"](value)
        self.callbacks["caught_up"]()
        self.callbacks["on_trouble"](None)

    async def write(self, records):
        for record in records:
            assert (record.topic, record.partition) == ("genesys.actions", 0)
            self.records.append(record.value)
            self.callbacks["hear"](record.value)


@pytest.fixture
def topic():
    return Topic()


@pytest.fixture
async def log(topic, health):
    async with ActionLog(Settings(), health, topic.write, topic.follower) as log:
        await topic.started.wait()
        yield log


async def held(log, stage):
    """Whether a stage waits."""
    waiting = asyncio.create_task(log.passes(stage))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    waiting.cancel()
    return not done


async def test_nothing_begins_before_what_was_done_is_known(log, topic, health):
    assert "start (actions)" in health.troubles()
    waiting = asyncio.create_task(log.passes("sink"))
    await asyncio.sleep(0)
    assert not waiting.done()
    topic.read()
    await asyncio.wait_for(waiting, 60)
    assert health.troubles() == {}


async def test_a_worker_that_starts_later_obeys(log, topic):
    topic.records = [Action(1, "anna", "pause", "sink", "why").encode(), b"not an action"]
    topic.read()
    assert await held(log, "sink")
    assert not await held(log, "process")
    assert "paused by anna" in log.paused_in_words()["sink"]


async def test_a_pause_holds_until_the_resume_and_both_are_on_record(log, topic):
    topic.read()
    await log.record("anna", "pause", stage="process")
    waiting = asyncio.create_task(log.passes("process"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await log.record("bert", "resume", stage="process")
    await asyncio.wait_for(waiting, 60)
    assert [(one.who, one.what) for one in log.during()] == [("bert", "resume"), ("anna", "pause")]


async def test_a_broker_that_is_lost_resumes_nothing(log, topic):
    topic.records = [Action(1, "anna", "pause", "sink").encode()]
    topic.read()
    topic.callbacks["on_trouble"]("away")
    topic.callbacks["begin"]()
    assert await held(log, "sink")
    topic.read()
    assert await held(log, "sink")


async def test_an_action_that_kafka_has_counts_though_it_is_read_late(log, topic):
    log.heard_s = 0.01
    done = await log.record("anna", "pause", stage="sink")
    assert log.during() == []
    topic.read()
    assert log.paused == {"sink": done}
