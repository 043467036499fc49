"""Tests of the mapping processes of a worker: one for each purpose, of the routes that are in use."""

from pathlib import Path

import pytest

from processors.routes.routes import Routes, TriedRoute
from settings import Settings
from streams.routes.folder import read_routes
from streams.routes.sandboxes import Sandboxes

TEXTS = read_routes(Path(__file__).parents[4] / "schemas")


@pytest.fixture
def in_use():
    return [Routes(TriedRoute(one, "fast") for one in TEXTS)]


@pytest.fixture
def sandboxes(in_use, health):
    return Sandboxes(Settings(), lambda: in_use[-1], health)


def test_who_tries_an_event_has_a_process_of_its_own(sandboxes):
    assert sandboxes.sandbox("process") is sandboxes.sandbox("process")
    assert sandboxes.sandbox("process") is not sandboxes.sandbox("simulate")


async def test_after_a_change_of_routes_whoever_asks_gets_another_and_the_old_one_ends(sandboxes):
    old = sandboxes.sandbox("process")
    await old.start()
    await sandboxes.renew()
    assert sandboxes.sandbox("process") is not old
    assert old.pid is None


async def test_as_a_context_they_end_with_it(sandboxes):
    async with sandboxes:
        one = sandboxes.sandbox("process")
        await one.start()
        assert one.pid is not None
    assert one.pid is None
