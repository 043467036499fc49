"""Fixtures of the tests of what is delivered and committed."""

import pytest

from tests.unit.streams.faust_patches.fake_consumer import FakeConsumer


@pytest.fixture(params=["streams", "lanes"])
def way(request, monkeypatch):
    """How records get to their stage."""
    monkeypatch.setattr(FakeConsumer, "in_lanes", ("genesys.raw",) if request.param == "lanes" else ())
