"""Tests of the watchdog: what is away is waited for, what stands still for no reason ends the process."""

import asyncio
from types import SimpleNamespace

import pytest

from streams import watchdog
from streams.app import app
from streams.health import health


@pytest.fixture
def scene(monkeypatch):
    """Brokers that answer, work that goes on, and what the process was ended for."""
    made = SimpleNamespace(answers=True, stalled=None, uncommitted=0.0, dead=[])

    def metadata():
        future = asyncio.get_running_loop().create_future()
        if made.answers is not None:
            future.set_result(made.answers)
        return future

    async def producer():
        return SimpleNamespace(_producer=SimpleNamespace(client=SimpleNamespace(force_metadata_update=metadata)))

    monkeypatch.setattr(app, "maybe_start_producer", producer)
    monkeypatch.setattr(watchdog, "ledger", SimpleNamespace(stalled=lambda: made.stalled))
    monkeypatch.setattr(watchdog, "seconds_uncommitted", lambda consumer: made.uncommitted)
    monkeypatch.setattr(watchdog, "die", lambda where, error: made.dead.append(str(error)))
    yield made
    health.well("brokers")


async def test_while_all_goes_on_nothing_happens(scene):
    await watchdog.look()
    assert scene.dead == []
    assert "brokers" not in health.troubles()


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
    assert health.troubles()["brokers"]["reason"] == "no broker answers"
    scene.answers, scene.uncommitted = True, 0.0
    await watchdog.look()
    assert "brokers" not in health.troubles()


async def test_brokers_that_never_answer_are_away(scene, monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_S", 0.0)
    scene.answers = None
    await watchdog.look()
    assert "brokers" in health.troubles()
