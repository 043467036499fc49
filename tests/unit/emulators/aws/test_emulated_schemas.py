"""This module holds the emulated schema registry to what its clients read."""

from __future__ import annotations

import pytest


@pytest.fixture
async def schemas(aws, clients):
    return await clients("schemas", aws.url)


async def test_the_newest_version_is_described_unless_one_is_named(aws, schemas):
    aws.state.schemas.add("events", "genesys.cloud@Interaction", '{"type": "object"}')
    aws.state.schemas.add("events", "genesys.cloud@Interaction", '{"type": "array"}')
    name = {"RegistryName": "events", "SchemaName": "genesys.cloud@Interaction"}
    newest = await schemas.describe_schema(**name)
    first = await schemas.describe_schema(**name, SchemaVersion="1")
    assert (newest["SchemaVersion"], newest["Content"]) == ("2", '{"type": "array"}')
    assert (first["SchemaVersion"], first["Content"]) == ("1", '{"type": "object"}')
    assert newest["Type"] == "JSONSchemaDraft4"
    listed = await schemas.list_schema_versions(**name)
    assert [version["SchemaVersion"] for version in listed["SchemaVersions"]] == ["2", "1"]


async def test_an_open_api_schema_is_exported_as_json_schema(aws, schemas):
    aws.state.schemas.add("events", "made", '{"openapi": "3.0.0"}', "OpenApi3", '{"type": "object"}')
    exported = await schemas.export_schema(RegistryName="events", SchemaName="made", Type="JSONSchemaDraft4")
    assert (exported["Content"], exported["Type"]) == ('{"type": "object"}', "JSONSchemaDraft4")
    with pytest.raises(schemas.exceptions.BadRequestException):
        await schemas.export_schema(RegistryName="events", SchemaName="made", Type="OpenApi3")


@pytest.mark.parametrize("version", [{}, {"SchemaVersion": "7"}])
async def test_what_is_not_there_is_not_found(aws, schemas, version):
    aws.state.schemas.add("events", "known", "{}")
    name = "known" if version else "unknown"
    with pytest.raises(schemas.exceptions.NotFoundException):
        await schemas.describe_schema(RegistryName="events", SchemaName=name, **version)
