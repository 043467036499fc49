"""Tests of reading and writing schemas of the registry, on the emulator."""

import json

import pytest

from clients.aws.client import open_client
from clients.aws.schema_registry import RegistrySchema, read_schema, write_schema
from emulators.aws import AWSEmulator
from processors.event.errors import RouteError
from processors.routes.authoring.registry_schema import SchemaName
from settings import load_settings

NAME = SchemaName("calls", "genesys.cloud@Call")


@pytest.fixture
async def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    async with AWSEmulator() as emulator:
        emulator.state.schemas.add("calls", "other", "{}")
        yield emulator


@pytest.fixture
async def registry(aws):
    async with open_client(load_settings(aws_endpoint_url=aws.url, aws_region="eu-west-1"), "schemas") as client:
        yield client


async def test_the_newest_is_read_or_the_version_that_is_pinned(aws, registry):
    for number in (1, 2):
        aws.state.schemas.add(NAME.registry, NAME.name, json.dumps({"number": number}))
    assert await read_schema(registry, NAME) == RegistrySchema("2", {"number": 2})
    assert await read_schema(registry, SchemaName("calls", NAME.name, "1")) == RegistrySchema("1", {"number": 1})


@pytest.mark.parametrize(
    ("name", "words"),
    [(NAME, "has no schema genesys.cloud@Call: fix"), (SchemaName("calls", "other", "9"), "no schema other version 9")],
)
async def test_what_is_not_there_is_named(registry, name, words):
    with pytest.raises(RouteError, match=words):
        await read_schema(registry, name)


async def test_a_content_that_is_no_json_is_refused(aws, registry):
    aws.state.schemas.add(NAME.registry, NAME.name, "{")
    with pytest.raises(RouteError, match="cannot be read"):
        await read_schema(registry, NAME)


async def test_a_schema_is_made_then_gets_versions_and_the_same_again_is_none(registry):
    assert await write_schema(registry, NAME, {"a": 1}) == "1"
    assert await write_schema(registry, NAME, {"a": 2}) == "2"
    assert await write_schema(registry, NAME, {"a": 2}) == "2"
    assert (await read_schema(registry, NAME)).content == {"a": 2}
    with pytest.raises(RouteError, match="no schema registry nowhere"):
        await write_schema(registry, SchemaName("nowhere", "n"), {})
