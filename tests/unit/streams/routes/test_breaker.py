"""The flood guard holds a batch back before anything is sent, and lets it go when it is told to."""

from __future__ import annotations

import asyncio

import pytest

from processors.routes.breaker import BreakerLimits
from processors.routes.outcome import Failed
from processors.routes.routes import Encoded, Routed
from streams.health import Health
from streams.routes.breaker import PART, FailureBreaker

GOOD = Routed("k", "i", (Encoded("a", b"{}"),))
BAD = Routed("k", "i", (Failed("validate", "SchemaViolation", "m", route="interaction"),))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(health: Health, clock: Clock) -> FailureBreaker:
    return FailureBreaker(BreakerLimits(0.5, 100, 60.0), health, clock)


async def paused(guard: FailureBreaker) -> asyncio.Task[None]:
    waiting = asyncio.create_task(guard.admit([BAD] * 100))
    await asyncio.sleep(0)
    assert guard.paused
    return waiting


async def test_a_good_batch_passes(guard: FailureBreaker, health: Health):
    await guard.admit([GOOD] * 51 + [BAD] * 49)
    assert not guard.paused
    assert health.troubles() == {}


async def test_a_flood_waits_and_health_says_why_and_how_to_go_on(guard: FailureBreaker, health: Health):
    waiting = await paused(guard)
    reason = health.troubles()[PART]["reason"]
    for part in ("100 of 100", "validate/SchemaViolation", "interaction", "genesys-eventbridge resume"):
        assert part in reason
    assert not waiting.done()
    assert guard.resume()
    await waiting


async def test_after_a_resume_all_is_well_and_failures_pass(guard: FailureBreaker, health: Health, clock: Clock):
    waiting = await paused(guard)
    guard.resume()
    await waiting
    assert health.troubles() == {}
    await guard.admit([BAD] * 500)
    clock.now = 700.0
    again = await paused(guard)
    guard.resume()
    await again


async def test_who_is_not_paused_has_nothing_to_resume(guard: FailureBreaker):
    assert not guard.resume()
    waiting = await paused(guard)  # such a word is not kept for later
    guard.resume()
    await waiting


async def test_a_paused_batch_can_be_cancelled(guard: FailureBreaker):
    waiting = await paused(guard)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_other_routes_let_a_batch_be_mapped_again_and_begin_a_new_window(guard: FailureBreaker, health: Health):
    waiting = await paused(guard)
    guard.renew()
    assert await waiting is False
    assert not guard.paused
    assert health.troubles() == {}
    assert await guard.admit([BAD] * 99), "what the old routes did counts no more"


async def test_other_routes_change_nothing_for_who_does_not_wait(guard: FailureBreaker):
    guard.renew()
    assert await guard.admit([GOOD])
    waiting = await paused(guard)
    assert guard.resume()
    assert await waiting is True
