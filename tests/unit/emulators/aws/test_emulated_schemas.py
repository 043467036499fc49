"""This module holds the emulated schema registry to what its clients read."""

from __future__ import annotations

import pytest


@pytest.fixture
async def schemas(aws, clients):
    return await clients("schemas", aws.url)


async def test_the_newest_version_is_described(aws, schemas):
    aws.state.schemas.add("events", "genesys.cloud@Interaction", '{"type": "object"}')
    aws.state.schemas.add("events", "genesys.cloud@Interaction", '{"type": "array"}')
    name = {"RegistryName": "events", "SchemaName": "genesys.cloud@Interaction"}
    newest = await schemas.describe_schema(**name)
    assert (newest["SchemaVersion"], newest["Content"]) == ("2", '{"type": "array"}')
    assert newest["Type"] == "JSONSchemaDraft4"


async def test_what_is_not_there_is_not_found(aws, schemas):
    aws.state.schemas.add("events", "known", "{}")
    with pytest.raises(schemas.exceptions.NotFoundException):
        await schemas.describe_schema(RegistryName="events", SchemaName="unknown")
