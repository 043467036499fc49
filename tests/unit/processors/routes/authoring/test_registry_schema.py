"""Tests of registry schemas: OpenAPI 3 and JSON Schema draft 4 as the registry gives them."""

import json

import pytest
from jsonschema import Draft4Validator

from processors.event.errors import InvalidEventError, RouteError
from processors.routes.authoring.registry_schema import SchemaName, delivered_event_schema, mapped_event_schema
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
    assert compile_schema(mapped_event_schema("r:n", content), "registry")(mapped(**detail)) is None


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
        compile_schema(mapped_event_schema("r:n", content), "registry")(mapped(**detail))
    assert [violation.path for violation in caught.value.details] == [path]


@pytest.mark.parametrize("content", [7, [], {}, {"components": {"schemas": {}}}, {"properties": []}])
def test_content_that_describes_no_event_is_refused(content):
    with pytest.raises(RouteError, match="registry schema mine:a is not one of an EventBridge event"):
        mapped_event_schema("mine:a", content)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("r:n", SchemaName("r", "n")),
        ("r:n@7", SchemaName("r", "n", "7")),
        ("calls-1:genesys.cloud@Call", SchemaName("calls-1", "genesys.cloud@Call")),
        ("calls-1:genesys.cloud@Call@12", SchemaName("calls-1", "genesys.cloud@Call", "12")),
    ],
)
def test_a_name_is_what_it_is_written_as(text, name):
    assert SchemaName.parse(text) == name
    assert str(name) == text


@pytest.mark.parametrize("text", ["r", "r:", ":n", "r/n", "..:n", "r:..", "r:a/b", ""])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ValueError, match="REGISTRY:NAME"):
        SchemaName.parse(text)


def test_a_schema_of_ours_becomes_draft_4_of_what_is_delivered():
    ours = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "x",
        "required": ["detail"],
        "properties": {
            "source": {"const": "s"},
            "detail": {
                "type": "object",
                "properties": {"wait": {"exclusiveMinimum": 0}, "a": {"$ref": "#/$defs/a"}, "any": True, "none": False},
            },
        },
        "$defs": {"a": {"const": "x", "examples": ["x"]}},
    }
    made = delivered_event_schema(ours, "s", "d")
    Draft4Validator.check_schema(made)
    delivered = {"version": "0", "account": "1", "region": "r", "source": "s", "detail-type": "d", "id": "i"}
    check = Draft4Validator(made)
    assert check.is_valid({**delivered, "detail": {"wait": 1, "a": "x", "any": 1}})
    for wrong in ({"wait": 0}, {"a": "y"}, {"none": 1}):
        assert not check.is_valid({**delivered, "detail": wrong})
    assert not check.is_valid(delivered)
    assert not check.is_valid({**delivered, "source": "t", "detail": {}})
    assert (
        compile_schema(mapped_event_schema("r:n", made), "registry")(
            {"source": "s", "detail-type": "d", "detail": {"a": "x"}}
        )
        is None
    )
