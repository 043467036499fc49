"""Tests of the registry's schemas on disk: what starts a worker when the registry does not answer."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from clients.aws.answers import NoAnswerError
from clients.aws.schema_registry import RegistrySchema
from processors.routes.authoring.registry_schema import SchemaName
from settings import load_settings
from streams.routes import schema_store as module
from streams.routes.schema_store import SchemaStore

PINNED, NEWEST = SchemaName("r", "n", "7"), SchemaName("r", "n")


class Registry:
    """Version 7 and 8 of a schema; counts who asks."""

    def __init__(self, monkeypatch):
        self.asked: list[SchemaName] = []
        self.answers = True
        monkeypatch.setattr(module, "read_schema", self.read)

    async def read(self, client, name):
        self.asked.append(name)
        if not self.answers:
            raise NoAnswerError("nobody at home")
        version = name.version or "8"
        return RegistrySchema(version, {"version": version})

    @asynccontextmanager
    async def open(self):
        yield None


@pytest.fixture
def registry(monkeypatch):
    return Registry(monkeypatch)


@pytest.fixture
def store(tmp_path):
    return SchemaStore(load_settings(data_dir=tmp_path / "data"), tmp_path / "routes")


async def test_a_pinned_version_is_asked_for_once(store, registry):
    for _ in range(2):
        assert await store.contents([PINNED], registry.open) == {PINNED: {"version": "7"}}
    assert registry.asked == [PINNED]


async def test_what_was_pulled_beside_the_routes_is_never_asked_for(store, registry):
    assert store.pull(NEWEST, RegistrySchema("7", {"version": "7"})).name == "n@7.json"
    registry.answers = False
    assert await store.contents([PINNED], registry.open) == {PINNED: {"version": "7"}}
    assert registry.asked == []


async def test_the_newest_is_asked_for_each_time_and_the_last_seen_does_when_nobody_answers(store, registry):
    for _ in range(2):
        assert await store.contents([NEWEST], registry.open) == {NEWEST: {"version": "8"}}
    assert registry.asked == [NEWEST, NEWEST]
    registry.answers = False
    assert await store.contents([NEWEST], registry.open) == {NEWEST: {"version": "8"}}


async def test_what_was_never_seen_needs_the_registry(store, registry):
    registry.answers = False
    with pytest.raises(NoAnswerError):
        await store.contents([PINNED], registry.open)


async def test_a_disk_that_takes_nothing_is_no_reason_not_to_start(tmp_path, registry):
    (tmp_path / "data").write_text("")
    store = SchemaStore(load_settings(data_dir=tmp_path / "data"), tmp_path)
    assert await store.contents([PINNED], registry.open) == {PINNED: {"version": "7"}}
