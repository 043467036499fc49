"""Tests of the watchdog: what is away is waited for, what stands still for no reason ends the process."""

import asyncio
from types import SimpleNamespace

import pytest

from streams.delivery.ledger import STALL_S
from streams.health import Health
from streams.worker.watchdog import SILENT_S, StallProbes, Watchdog

NEEDED = ("genesys.raw", "genesys.failures")


class Scene:
    """Brokers that answer, work that goes on, and what the process was ended for."""

    def __init__(self):
        self.asked, self.gone, self.answers = set(), set(), True
        self.stalled, self.silent, self.rebalancing, self.uncommitted = None, 0.0, 0.0, 0.0
        self.now, self.dead = 0.0, []
        self.health = Health(lambda: self.now)

    def watchdog(self, **changes):
        probes = StallProbes(
            lambda: self.stalled, lambda: self.silent, lambda: self.rebalancing, lambda: self.uncommitted
        )
        return Watchdog(probes, self.health, self._client, NEEDED, die=self._die, **changes)

    def _die(self, where, error):
        self.dead.append(str(error))

    async def _client(self):
        cluster = SimpleNamespace(topics=lambda: self.asked - self.gone)
        return SimpleNamespace(force_metadata_update=self._metadata, add_topic=self.asked.add, cluster=cluster)

    def _metadata(self):
        future = asyncio.get_running_loop().create_future()
        if self.answers is not None:
            future.set_result(self.answers)
        return future


@pytest.fixture
def scene():
    return Scene()


async def test_while_all_goes_on_nothing_happens(scene):
    await scene.watchdog().check()
    assert scene.dead == []
    assert "brokers" not in scene.health.troubles()


@pytest.mark.parametrize(
    ("stalled", "uncommitted", "reason"),
    [
        ("a batch has been worked on for 301 s", 0.0, "a batch has been worked on for 301 s"),
        (None, 301.0, "offsets have not been committed for 301 s"),
    ],
    ids=["a batch", "the commits"],
)
async def test_what_stands_still_while_brokers_answer_ends_the_process(scene, stalled, uncommitted, reason):
    scene.stalled, scene.uncommitted = stalled, uncommitted
    await scene.watchdog().check()
    assert scene.dead == [reason]


async def test_while_no_broker_answers_it_is_not_ready_and_goes_on(scene):
    scene.uncommitted, scene.answers = 1_000.0, False
    await scene.watchdog().check()
    assert scene.dead == []
    assert scene.health.troubles()["brokers"]["reason"] == "no broker answers"
    scene.answers, scene.uncommitted = True, 0.0
    await scene.watchdog().check()
    assert "brokers" not in scene.health.troubles()


async def test_what_stood_still_in_an_outage_has_its_time_anew(scene):
    known = scene.health
    scene.uncommitted = scene.rebalancing = 1_000.0
    known.trouble("kafka", "no answer")
    assert scene.watchdog().standstill() is None
    known.healthy("kafka")
    scene.now = STALL_S
    assert scene.watchdog().standstill() is None
    scene.now += 1
    assert scene.watchdog().standstill() == "the assignment of partitions has been under way for 301 s"


def test_a_client_that_is_silent_for_long_while_brokers_are_there_is_not_believed(scene):
    scene.silent = SILENT_S + 1
    assert scene.watchdog().standstill() == "Kafka has not answered for 1801 s, though its brokers are there"
    scene.health.trouble("brokers", "no broker answers")
    assert scene.watchdog().standstill() is None


async def test_brokers_that_never_answer_are_away(scene):
    scene.answers = None
    await scene.watchdog(patience_s=0.0).check()
    assert "brokers" in scene.health.troubles()


async def test_an_assignment_that_never_ends_ends_the_process(scene):
    scene.rebalancing = 301.0
    await scene.watchdog().check()
    assert scene.dead == ["the assignment of partitions has been under way for 301 s"]


async def test_a_topic_that_is_gone_is_named_until_it_is_there_again(scene):
    scene.gone, scene.uncommitted = {"genesys.failures"}, 1_000.0
    await scene.watchdog().check()
    assert scene.health.troubles()["topics"]["reason"].startswith("gone: genesys.failures; make them again")
    assert scene.dead == []
    scene.gone, scene.uncommitted = set(), 0.0
    await scene.watchdog().check()
    assert "topics" not in scene.health.troubles()
