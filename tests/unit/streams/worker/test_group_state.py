"""Tests of the group as its owner knows it: told by every worker, asked of Kafka, nothing elsewhere."""

import asyncio

import orjson
import pytest
from aiokafka.errors import KafkaConnectionError

from processors.metrics import delta
from processors.metrics.group import GONE_MS
from processors.metrics.lag import PartitionPosition
from streams.worker.group import HEARING_MS, REST_MS, SAMPLE_MS, STALE_MS, Group

ITSELF = {
    "name": "http://a",
    "version": "1",
    "roles": [],
    "partitions": {"raw": [0]},
    "troubles": {},
    "paused": False,
    "pausedStages": [],
    "sinceMs": 0,
}


class Kafka:
    def __init__(self):
        self.told = [PartitionPosition("raw", 0, 4, 9, 1), PartitionPosition("validated", 0, 2, 3)]
        self.error, self.closed = None, 0

    async def measure(self):
        if self.error is not None:
            raise self.error
        return self.told

    async def close(self):
        self.closed += 1


class Scene:
    """A group whose clock, tables and Kafka a test moves."""

    def __init__(self):
        self.now_ms, self.owner, self.kafka, self.told = 1_000_000, True, Kafka(), []
        self.counted, topics = 0, ("raw", "validated")
        self.group = Group(
            self.tell,
            lambda: dict(ITSELF),
            self.kafka,
            lambda: self.owner,
            topics,
            lambda: self.counted,
            clock=self.clock,
        )

    def clock(self):
        return self.now_ms / 1000

    async def tell(self, value):
        """As the metrics stage of the owner hears it."""
        content = delta.checked(value)
        self.told.append(content)
        if "worker" in content:
            self.group.note_worker(content["worker"], self.now_ms)


@pytest.fixture
def scene():
    return Scene()


async def test_what_a_worker_says_of_itself_is_heard(scene):
    await scene.group.announce()
    await scene.group.refresh()
    found = scene.group.status()
    assert (found["works"], found["reasons"]) == (True, [])
    shown = {name: value for name, value in ITSELF.items() if name != "sinceMs"}
    more = {"since": "1970-01-01T00:00:00Z", "state": "running", "secondsAgo": 0}
    assert found["workers"] == [{**shown, **more}]
    await scene.group.take_leave()
    assert scene.group.status()["workers"] == []


async def test_a_new_owner_hears_the_workers_before_it_misses_one(scene):
    await scene.group.refresh()
    assert scene.group.status()["works"] is True
    scene.now_ms += HEARING_MS + 1
    await scene.group.announce()
    await scene.group.refresh()
    assert scene.group.status()["reasons"] == ["no worker reads validated 0"]


async def test_the_lag_is_kafka_s_and_goes_stale(scene):
    assert scene.group.lag() == {"asOf": None, "partitions": []}
    await scene.group.refresh()
    assert [row["lag"] for row in scene.group.lag()["partitions"]] == [5, 1]
    scene.kafka.error = KafkaConnectionError()
    scene.now_ms += STALE_MS + 1
    await scene.group.refresh()
    assert scene.group.word() is None
    assert scene.group.status()["works"] is False
    assert scene.group.lag()["asOf"] == "1970-01-01T00:16:40Z"


@pytest.mark.parametrize(("since_ms", "rests"), [(REST_MS + 1, True), (REST_MS - 1, False)])
async def test_counts_rest_when_nothing_has_come_before_kafka_was_asked(scene, since_ms, rests):
    await scene.group.refresh()
    assert scene.group.word().rests is False, "what the owner before counted may be still to come"
    scene.now_ms += 8_000
    scene.group.counted(scene.now_ms - since_ms)
    scene.counted = 7
    await scene.group.refresh()
    scene.counted = 12
    word = scene.group.word()
    assert (word.counted, word.waiting, word.open, word.rests) == (7, 5, 1, rests)


async def test_who_loses_the_tables_knows_nothing_of_the_group(scene):
    await scene.group.announce()
    await scene.group.refresh()
    scene.owner = False
    await scene.group.refresh()
    await scene.group.refresh()
    assert (scene.group.lags, scene.group.status()["workers"], scene.kafka.closed) == ([], [], 1)


async def test_a_delta_is_no_worker_and_half_a_row_is_refused(scene):
    with pytest.raises(ValueError, match="not a worker"):
        delta.checked(orjson.dumps({"worker": {"name": "x"}}))


def marks(scene):
    return [one["mark"]["kind"] for one in scene.told if "mark" in one]


async def test_the_lag_goes_into_the_history_every_ten_seconds(scene):
    for _ in range(3):
        await scene.group.refresh()
        scene.now_ms += SAMPLE_MS // 2
    assert [one for one in scene.told if "lag" in one] == [{"lag": 6}, {"lag": 6}]


async def test_a_worker_that_falls_silent_is_marked_once_and_one_that_ends_says_so_itself(scene):
    await scene.group.announce()
    scene.now_ms += GONE_MS + 1
    await scene.group.refresh()
    await scene.group.refresh()
    assert marks(scene) == ["worker-ended"]
    await scene.group.take_leave()
    assert marks(scene) == ["worker-ended", "worker-ended"]


async def test_what_all_workers_see_is_marked_by_the_owner_alone(scene):
    await scene.group.mark_if_owner("routes", "other routes are in use")
    scene.owner = False
    await scene.group.mark_if_owner("routes", "other routes are in use")
    await scene.group.mark("worker-started", "http://a has begun")
    assert marks(scene) == ["routes", "worker-started"]


async def test_the_first_assignment_is_a_start_and_each_later_one_is_told_once(scene):
    for owner in (False, True, False):
        scene.owner = owner
        await scene.group.assigned()
        await asyncio.gather(*scene.group._marking)
    assert marks(scene) == ["worker-started", "rebalance"]
