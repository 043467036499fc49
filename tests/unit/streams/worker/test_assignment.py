"""Tests of what health says of a worker's partitions: before there are any, and while they are shared out."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.worker.assignment import Assignment


class Scene:
    """An app that a test assigns partitions to, on a clock that it moves."""

    def __init__(self, health):
        self.now, self.health = 0.0, health
        self.app = SimpleNamespace(_assignment=None, rebalancing=False, rebalancing_count=1)
        self.owner = SimpleNamespace(address=lambda: self.address, are_recovered=lambda: self.recovered)
        self.address, self.recovered = "http://a", True
        self.assignment = Assignment(self.app, self.owner, health, lambda: self.now)

    def reason(self, part):
        return self.health.troubles().get(part, {}).get("reason")


@pytest.fixture
def scene(health):
    return Scene(health)


def test_a_worker_is_ready_when_it_was_assigned_something_and_has_its_tables(scene):
    assert not scene.assignment.is_known
    assert scene.reason("start") == "Kafka has not assigned partitions yet"
    scene.app._assignment, scene.recovered = set(), False
    assert scene.assignment.is_known
    assert scene.reason("start") == "the tables are being recovered"
    scene.recovered = True
    assert scene.health.troubles() == {}


def test_a_rebalance_that_lasts_and_tables_that_nobody_has_are_said(scene):
    scene.app._assignment, scene.app.rebalancing = set(), True
    assert scene.reason("assignment") is None
    scene.now = 12.0
    assert "12 s" in scene.reason("assignment")
    scene.app.rebalancing, scene.address = False, None
    assert "no worker has been assigned the tables" in scene.reason("assignment")


def test_the_time_of_a_rebalance_begins_with_each_anew(scene):
    seen = []
    for now, rebalancing, count in ((5, 0, 1), (10, 1, 2), (30, 1, 2), (40, 1, 3), (45, 1, 3), (50, 0, 3)):
        scene.now, scene.app.rebalancing, scene.app.rebalancing_count = now, bool(rebalancing), count
        seen.append(scene.assignment.rebalancing_s())
    assert seen == [0, 0, 20, 0, 5, 0]


def test_partitions_are_those_of_the_topics_that_are_asked_for(scene):
    scene.app._assignment = {TP("raw", 3), TP("raw", 1), TP("a-changelog", 0)}
    assert scene.assignment.partitions({"raw", "validated"}) == {"raw": [1, 3]}
