"""Tests of the watchdog: what is away is waited for, what stands still for no reason ends the process."""

import asyncio
from types import SimpleNamespace

import pytest

from streams.app import app
from streams.health import Health
from streams.worker import watchdog


@pytest.fixture
def scene(monkeypatch):
    """Brokers that answer, work that goes on, and what the process was ended for."""
    made = SimpleNamespace(
        asked=set(), gone=set(), answers=True, stalled=None, uncommitted=0.0, rebalancing=0.0, dead=[]
    )

    def metadata():
        future = asyncio.get_running_loop().create_future()
        if made.answers is not None:
            future.set_result(made.answers)
        return future

    async def producer():
        cluster = SimpleNamespace(topics=lambda: made.asked - made.gone)
        client = SimpleNamespace(force_metadata_update=metadata, add_topic=made.asked.add, cluster=cluster)
        return SimpleNamespace(_producer=SimpleNamespace(client=client))

    monkeypatch.setattr(app, "maybe_start_producer", producer)
    monkeypatch.setattr(watchdog, "rebalance", SimpleNamespace(seconds=lambda: made.rebalancing))
    monkeypatch.setattr(watchdog, "ledger", SimpleNamespace(stalled=lambda: made.stalled))
    monkeypatch.setattr(watchdog, "seconds_uncommitted", lambda consumer: made.uncommitted)
    monkeypatch.setattr(watchdog, "die", lambda where, error: made.dead.append(str(error)))
    made.health = Health()
    monkeypatch.setattr(watchdog, "health", made.health)
    return made


async def test_while_all_goes_on_nothing_happens(scene):
    await watchdog.look()
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
    await watchdog.look()
    assert scene.dead == [reason]


async def test_while_no_broker_answers_it_is_not_ready_and_goes_on(scene):
    scene.uncommitted, scene.answers = 1_000.0, False
    await watchdog.look()
    assert scene.dead == []
    assert scene.health.troubles()["brokers"]["reason"] == "no broker answers"
    scene.answers, scene.uncommitted = True, 0.0
    await watchdog.look()
    assert "brokers" not in scene.health.troubles()


async def test_what_stood_still_in_an_outage_has_its_time_anew(scene, monkeypatch):
    now = 0.0
    known = Health(lambda: now)
    monkeypatch.setattr(watchdog, "health", known)
    scene.uncommitted = scene.rebalancing = 1_000.0
    known.trouble("kafka", "no answer")
    assert watchdog.standstill() is None
    known.well("kafka")
    now = watchdog.STALL_S
    assert watchdog.standstill() is None
    now += 1
    assert watchdog.standstill() == "the assignment of partitions has been under way for 301 s"


def test_a_client_that_is_silent_for_long_while_brokers_are_there_is_not_believed(scene, monkeypatch):
    monkeypatch.setattr(watchdog.Trouble, "seconds_silent", lambda: watchdog.SILENT_S + 1)
    assert watchdog.standstill() == "Kafka has not answered for 1801 s, though its brokers are there"
    scene.health.trouble("brokers", "no broker answers")
    assert watchdog.standstill() is None


async def test_brokers_that_never_answer_are_away(scene, monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_S", 0.0)
    scene.answers = None
    await watchdog.look()
    assert "brokers" in scene.health.troubles()


async def test_an_assignment_that_never_ends_ends_the_process(scene):
    scene.rebalancing = 301.0
    await watchdog.look()
    assert scene.dead == ["the assignment of partitions has been under way for 301 s"]


def test_the_time_of_a_rebalance_begins_with_each_anew(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    rebalance = watchdog.Rebalance(lambda: clock.now)
    seen = []
    for now, rebalancing, count in ((5, 0, 1), (10, 1, 2), (30, 1, 2), (40, 1, 3), (45, 1, 3), (50, 0, 3)):
        clock.now = now
        monkeypatch.setattr(app, "rebalancing", bool(rebalancing), raising=False)
        monkeypatch.setattr(app, "rebalancing_count", count, raising=False)
        seen.append(rebalance.seconds())
    assert seen == [0, 0, 20, 0, 5, 0]


async def test_a_topic_that_is_gone_is_named_until_it_is_there_again(scene):
    scene.gone, scene.uncommitted = {"genesys.failures"}, 1_000.0
    await watchdog.look()
    assert scene.health.troubles()["topics"]["reason"].startswith("gone: genesys.failures; make them again")
    assert scene.dead == []
    scene.gone, scene.uncommitted = set(), 0.0
    await watchdog.look()
    assert "topics" not in scene.health.troubles()
