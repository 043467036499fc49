"""What every stage's tests need: no test knows what another one put out."""

import pytest

from streams.delivery import deduplication as module
from streams.delivery.deduplication import Deduplication


@pytest.fixture(autouse=True)
def deduplication(monkeypatch):
    """A window of its own for each test."""
    made = Deduplication(600, {})
    monkeypatch.setattr(module, "deduplication", made)
    return made
