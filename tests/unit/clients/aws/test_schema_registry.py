"""Tests of registry schemas: OpenAPI 3 and JSON Schema draft 4 as the registry gives them."""

import json

import pytest

from clients.aws.schema_registry import fetch_schemas, mapped_event_schema
from processors.event.errors import InvalidEventError, RouteError
from processors.routes.schema import compile_schema

AWS_EVENT = {
    "type": "object",
    "required": [
        "detail-type",
        "resources",
        "id",
        "source",
        "time",
        "detail",
        "region",
        "version",
        "account",
    ],
    "x-amazon-events-detail-type": "interaction.event",
    "x-amazon-events-source": "genesys.cloud",
    "properties": {
        "detail": {"$ref": "#/components/schemas/Interaction"},
        "account": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
    },
}
INTERACTION = {
    "type": "object",
    "required": ["interactionId"],
    "additionalProperties": False,
    "properties": {
        "interactionId": {"type": "string", "example": "i-1"},
        "wait": {"type": "integer", "format": "int32", "minimum": 0, "exclusiveMinimum": True},
        "queue": {"type": "string", "nullable": True, "enum": ["a", "b"]},
        "agent": {"$ref": "#/components/schemas/Agent"},
        "example": {"type": "string", "xml": {"name": "x"}},
        "nullable": {"type": "boolean"},
    },
}
AGENT = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
OPEN_API = {
    "openapi": "3.0.0",
    "info": {"version": "1.0.0", "title": "InteractionEvent"},
    "paths": {},
    "components": {"schemas": {"AWSEvent": AWS_EVENT, "Interaction": INTERACTION, "Agent": AGENT}},
}
DRAFT_4 = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "AWSEvent",
    "definitions": json.loads(
        json.dumps({"Interaction": INTERACTION, "Agent": AGENT}).replace("components/schemas", "definitions")
    ),
    **json.loads(json.dumps(AWS_EVENT).replace("components/schemas", "definitions")),
}

both = pytest.mark.parametrize("content", [OPEN_API, DRAFT_4], ids=["OpenApi3", "JSONSchemaDraft4"])


def mapped(**detail):
    return {"source": "s", "detail-type": "d", "detail": {"interactionId": "i", **detail}}


@both
@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"wait": 1},
        {"queue": "a"},
        {"queue": None},
        {"agent": {"name": "n"}},
        {"example": "x"},
        {"nullable": True},
    ],
)
def test_a_mapped_event_is_checked_by_its_detail(content, detail):
    assert compile_schema(mapped_event_schema(content), "registry")(mapped(**detail)) is None


@both
@pytest.mark.parametrize(
    ("detail", "path"),
    [
        ({"wait": 0}, "detail.wait"),
        ({"queue": "c"}, "detail.queue"),
        ({"agent": {}}, "detail.agent.name"),
        ({"interactionId": 7}, "detail.interactionId"),
        ({"other": 1}, "detail"),
        ({"example": 5}, "detail.example"),
    ],
)
def test_what_breaks_the_schema_is_found(content, detail, path):
    with pytest.raises(InvalidEventError) as caught:
        compile_schema(mapped_event_schema(content), "registry")(mapped(**detail))
    assert [violation.path for violation in caught.value.details] == [path]


class NotFoundError(Exception):
    pass


@pytest.fixture
def registry(client):
    client.exceptions = type("exceptions", (), {"NotFoundException": NotFoundError})
    return client


async def test_schemas_are_fetched_by_registry_and_name(registry):
    registry.answers = [{"Content": json.dumps(OPEN_API)}, {"Content": json.dumps(DRAFT_4)}]
    schemas = await fetch_schemas(registry, ["mine/a@b", "mine/c"])
    assert list(schemas) == ["mine/a@b", "mine/c"]
    assert registry.calls[0] == ("describe_schema", {"RegistryName": "mine", "SchemaName": "a@b"})
    assert schemas["mine/c"] == mapped_event_schema(DRAFT_4)


async def test_a_missing_schema_names_registry_and_remedy(registry):
    registry.answers = [NotFoundError()]
    with pytest.raises(RouteError, match=r"schema registry mine has no schema a: fix the route's \[schema\]"):
        await fetch_schemas(registry, ["mine/a"])


@pytest.mark.parametrize("content", ["{", "7", "[]", "{}", '{"components": {"schemas": {}}}', '{"properties": []}'])
async def test_content_that_describes_no_event_is_refused(registry, content):
    registry.answers = [{"Content": content}]
    with pytest.raises(RouteError, match="registry schema mine/a is not one of an EventBridge event"):
        await fetch_schemas(registry, ["mine/a"])
