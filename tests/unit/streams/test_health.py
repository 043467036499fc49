"""Tests of what a worker knows to be wrong."""

import math

import pytest

from streams.health import Health


@pytest.fixture
def health():
    made = Health(clock=lambda: made.now)
    made.now = 1_000.0
    return made


def test_all_is_well_at_first(health):
    assert (health.troubles(), health.seconds_healthy(["kafka"])) == ({}, math.inf)


def test_a_trouble_is_kept_from_its_beginning_with_its_last_reason(health):
    health.trouble("kafka", "first")
    health.now += 2.5
    health.trouble("kafka", "second")
    assert health.troubles() == {"kafka": {"reason": "second", "seconds": 2.5}}


def test_a_part_that_works_again_is_forgotten(health):
    health.trouble("kafka", "x")
    health.trouble("sqs", "y")
    health.healthy("kafka")
    health.healthy("never in trouble")
    assert list(health.troubles()) == ["sqs"]


def test_parts_are_well_since_the_last_of_them_was_in_trouble(health):
    health.trouble("kafka", "x")
    health.trouble("sqs", "y")
    health.healthy("kafka")
    health.now += 5
    assert health.seconds_healthy(["kafka"]) == 5
    assert health.seconds_healthy(["kafka", "sqs"]) == 0
    assert health.seconds_healthy(["eventbridge"]) == health.seconds_healthy([]) == math.inf
    health.healthy("sqs")
    health.now += 2
    parts = (["kafka", "sqs"], ["kafka"], ["eventbridge", "sqs"])
    assert [health.seconds_healthy(one) for one in parts] == [2, 7, 2]


def test_a_trouble_that_comes_again_begins_anew(health):
    health.trouble("kafka", "x")
    health.healthy("kafka")
    health.now += 10
    health.trouble("kafka", "x")
    assert health.troubles()["kafka"]["seconds"] == 0


def test_an_observer_turns_reasons_into_troubles(health):
    observe = health.observer("eventbridge")
    observe("no answer")
    assert list(health.troubles()) == ["eventbridge"]
    observe(None)
    assert health.troubles() == {}


def test_checks_are_asked_at_every_look(health):
    reasons = iter(["stalled", None])
    health.check("stages", lambda: next(reasons))
    assert health.troubles() == {"stages": {"reason": "stalled"}}
    assert health.troubles() == {}


def test_long_reasons_are_cut(health):
    health.trouble("kafka", "x" * 1_000)
    assert len(health.troubles()["kafka"]["reason"]) == 300


def test_each_change_is_logged_once(health, capsys):
    for _ in range(5):
        health.trouble("kafka", "same")
    health.trouble("kafka", "other")
    health.healthy("kafka")
    health.healthy("kafka")
    printed = capsys.readouterr()
    lines = [line for line in (printed.out + printed.err).splitlines() if "kafka" in line]
    assert len(lines) == 3
