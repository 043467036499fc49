"""Tests of the simulator: an event of a few words, and what each route makes of it."""

from pathlib import Path

import pytest

from processors.routes.route import compile_route
from processors.routes.routes import Routes
from processors.routes.simulation import FIELDS, Question, is_whole, question, run, simulated_event
from streams.routes.folder import read_routes

NOW = "2026-11-23T10:00:00.000Z"
ROUTES = Routes(
    compile_route(texts) for texts in read_routes(Path(__file__).parents[4] / "schemas") if texts.name == "interaction"
)


def simulated(**fields):
    return simulated_event(fields, interaction_id="new", now=NOW)


def test_what_is_missing_is_a_voice_call_of_high_priority_just_now():
    assert simulated() == {
        "id": "new", "resourceType": "interaction", "eventType": "created", "createdTime": NOW,
        "payload": {"type": "voice", "priority": "high"},
    }  # fmt: skip


def test_every_field_is_taken():
    event = simulated(interactionId="i", type="chat", priority="low", createdTime="then")
    assert (event["id"], event["payload"], event["createdTime"]) == (
        "i",
        {"type": "chat", "priority": "low"},
        "then",
    )


def test_an_unknown_field_names_the_known_ones():
    with pytest.raises(ValueError, match=f"unknown field kind: give any of {', '.join(FIELDS)}"):
        simulated(kind="x")


@pytest.mark.parametrize("value", [7, None, True, [], {}])
def test_a_field_must_be_text(value):
    with pytest.raises(ValueError, match="priority must be text"):
        simulated(priority=value)


def test_a_mapped_event():
    result = run(ROUTES, simulated())
    assert (result["status"], result["outcome"]) == ("simulated", "mapped")
    assert result["originalEvent"] == simulated()
    assert result["transformedEvent"]["detail"]["interactionId"] == "new"
    assert result["routes"] == [
        {"route": "interaction", "engine": "jsonatapy", "outcome": "mapped", "event": result["transformedEvent"]}
    ]


def test_a_filtered_event():
    result = run(ROUTES, simulated(priority="low"))
    assert (result["status"], result["outcome"], result["transformedEvent"]) == ("simulated", "filtered", None)
    assert result["routes"] == [{"route": "interaction", "engine": "jsonatapy", "outcome": "filtered"}]


def test_an_event_that_breaks_its_schema():
    result = run(ROUTES, simulated(createdTime="yesterday"))
    assert (result["status"], result["outcome"]) == ("validation_failed", "failed")
    assert [detail["path"] for detail in result["details"]] == ["detail.timestamp", "time"]
    assert result["error"].startswith("breaks its schema")
    assert result["transformedEvent"]["time"] == "yesterday"
    assert result["routes"][0]["stage"] == "validate"


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        ({"topicName": "v2.users.x.presence", "eventBody": {}}, True),
        ({"id": "i", "resourceType": "interaction"}, True),
        ({"detail-type": "x", "detail": {}}, True),
        ({"type": "voice"}, False),
        ({"interactionId": "i", "eventType": "x"}, False),
        ({"colour": "red"}, False),
    ],
)
def test_a_whole_event_is_known_by_its_fields(body, whole):
    assert is_whole(body) is whole


def test_a_question_brings_an_event_of_any_shape_and_perhaps_texts():
    assert question({"event": {"colour": "red"}}) == Question('{\n  "colour": "red"\n}')
    asked = question({"event": '{"a"', "filter": "true", "schema": {}, "route": "r"})
    assert asked == Question('{"a"', "true", None, "{}", "r")
    assert asked.is_draft


def test_an_example_of_a_route_asks_what_comes_of_its_event():
    assert question({"event": {}, "expect": "filtered"}) == Question("{}")


def test_an_unknown_field_beside_an_event_names_those_that_may_stand_there():
    with pytest.raises(ValueError, match="unknown field fitler beside event: give any of filter, mapping, schema"):
        question({"event": {}, "fitler": "true"})


@pytest.mark.parametrize("body", [{"topicName": "x", "event": {}}, {"type": "voice"}, {"filter": "true"}])
def test_what_is_no_question_is_an_event_or_the_short_form(body):
    assert question(body) is None


@pytest.mark.parametrize("name", ["filter", "mapping", "route"])
def test_texts_are_text(name):
    with pytest.raises(ValueError, match=name):
        question({"event": {}, name: 5})
