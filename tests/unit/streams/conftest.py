"""This module gives the tests below it an AWS."""

import pytest

from emulators.aws import AWSEmulator


@pytest.fixture
async def aws(monkeypatch):
    """An AWS with a bus `orders` and the queues `failures` and `events`, and the keys to it in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    async with AWSEmulator(buses=["orders"], queues=["failures", "events"]) as emulator:
        yield emulator
