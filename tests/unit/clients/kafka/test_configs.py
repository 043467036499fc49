"""Tests of what topics are configured with: what nobody tells is not made up."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from clients.kafka import configs
from settings import Settings

DENIED = 29


class Admin:
    """Knows some topics; the others may not be described."""

    def __init__(self, known: dict[str, dict[str, str]]) -> None:
        self._known = known

    async def describe_configs(self, resources: list[Any]) -> list[Any]:
        [one] = resources
        entries = [(name, value, False, 1, False, []) for name, value in self._known.get(one.name, {}).items()]
        return [SimpleNamespace(resources=[(0 if one.name in self._known else DENIED, "no", 2, one.name, entries)])]


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch):
    def knows(**known: dict[str, str]) -> Settings:
        @asynccontextmanager
        async def opened(settings: Settings):
            yield Admin(
                {name: {key.replace("_", "."): value for key, value in one.items()} for name, one in known.items()}
            )

        monkeypatch.setattr(configs, "open_admin", opened)
        return Settings(kafka_max_message_bytes=200_000, _env_file=None)  # type: ignore[call-arg]

    return knows


async def test_retention_is_told_of_topics_that_delete_and_none_of_those_that_keep(kafka):
    settings = kafka(
        raw={"retention_ms": "5", "cleanup_policy": "delete"},
        kept={"retention_ms": "-1", "cleanup_policy": "delete"},
        sources={"retention_ms": "5", "cleanup_policy": "compact"},
    )
    assert await configs.retention_ms(settings, ["raw", "kept", "sources", "denied"]) == {
        "raw": 5,
        "kept": None,
        "sources": None,
    }


@pytest.mark.parametrize(
    ("limits", "takes"),
    [({}, 200_000), ({"raw": "150000", "validated": "170000"}, 150_000), ({"raw": "900000"}, 200_000)],
    ids=["not told", "the least of them", "the setting"],
)
async def test_a_batch_fits_each_topic_and_the_setting(kafka, limits, takes):
    settings = kafka(**{name: {"max_message_bytes": limit} for name, limit in limits.items()})
    assert await configs.batch_bytes(settings, ["raw", "validated"]) == takes
    assert await configs.batch_bytes(settings, []) == 200_000
