"""Tests of what consumers are told: patterns take what is put on the bus, schemas hold for what is delivered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from processors.event.identity import identify
from processors.routes.authoring.catalogue import async_api, messages
from processors.routes.outcome import Mapped
from processors.routes.route import compile_route
from streams.routes.folder import read_routes

ROUTES = [compile_route(texts) for texts in read_routes(Path("schemas"))]
FOUND, UNTOLD = messages(ROUTES)
DELIVERED = {"version": "0", "account": "123456789012", "region": "eu-central-1"}


def test_every_shipped_route_tells_what_it_puts_on_the_bus():
    assert UNTOLD == []
    assert [one.route.name for one in FOUND] == [route.name for route in ROUTES]


@pytest.mark.parametrize("message", FOUND, ids=lambda one: one.route.name)
def test_what_is_delivered_meets_pattern_and_schema(message):
    Draft4Validator.check_schema(message.schema)
    check = Draft4Validator(message.schema)
    outcomes = [message.route.apply(identify(one.event)) for one in message.route.texts.examples]
    entries = [one.entry for one in outcomes if isinstance(one, Mapped)]
    assert entries
    for entry in entries:
        assert list(check.iter_errors(DELIVERED | entry)) == []
        assert entry["source"] in message.pattern["source"]
        assert entry["detail-type"] in message.pattern["detail-type"]
    assert not check.is_valid(DELIVERED | {"source": "x", "detail-type": "y"})


def test_a_route_without_examples_tells_what_its_toml_says_or_is_left_out():
    texts = replace(ROUTES[0].texts, examples=())
    found, untold = messages([compile_route(texts), compile_route(replace(texts, name="other", source=None))])
    assert [one.kinds for one in found] == [((texts.source, texts.detail_type),)]
    assert untold == ["other"]


def test_the_document_has_a_channel_for_each_bus_and_every_reference_leads_somewhere():
    other = compile_route(replace(ROUTES[0].texts, name="other", event_bus="arn:aws:events:x:1:event-bus/vip"))
    document = async_api(messages([*ROUTES, other])[0], "main", "1.0")
    assert document["asyncapi"] == "3.0.0"
    assert [one["address"] for one in document["channels"].values()] == ["main", other.texts.event_bus]
    for reference in references(document):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def references(value):
    if isinstance(value, dict):
        if "$ref" in value and not value["$ref"].startswith("#/definitions"):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
