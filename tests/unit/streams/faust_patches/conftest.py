"""Fixtures of the tests of what is delivered and committed."""

import pytest

from streams.faust_patches import partitions
from tests.unit.streams.faust_patches.fake_consumer import FakeConsumer


@pytest.fixture
def by_lanes(monkeypatch):
    """Records get to their stage by its lane."""
    monkeypatch.setattr(FakeConsumer, "in_lanes", ("genesys.raw",))


@pytest.fixture(params=["streams", "lanes"])
def way(request):
    """How records get to their stage."""
    if request.param == "lanes":
        request.getfixturevalue("by_lanes")


@pytest.fixture
def dead(monkeypatch):
    """What the process was ended for."""
    told = []
    monkeypatch.setattr(partitions, "die", lambda where, error: told.append(str(error)))
    return told
