"""This module tests the command `simulate`."""

from __future__ import annotations

import orjson
import pytest

CALL = {
    "id": "5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11",
    "resourceType": "interaction",
    "eventType": "created",
    "createdTime": "2026-11-23T10:00:00Z",
    "payload": {"type": "voice", "priority": "high"},
}


def test_a_whole_event_is_mapped(invoke, tmp_path):
    file = tmp_path / "event.json"
    file.write_bytes(orjson.dumps(CALL))

    result = invoke("simulate", str(file), "--json")

    assert result.exit_code == 0
    told = orjson.loads(result.stdout)
    assert told["status"] == "simulated"
    assert told["originalEvent"] == CALL
    assert told["transformedEvent"]["detail"]["interactionId"] == CALL["id"]


@pytest.mark.parametrize("beside", [{"expect": "filtered"}, {}])
def test_an_example_of_a_route_is_tried_as_its_event(invoke, beside):
    result = invoke("simulate", "-", "--json", stdin=orjson.dumps({"event": CALL} | beside))

    told = orjson.loads(result.stdout)
    assert (told["outcome"], told["originalEvent"]) == ("mapped", CALL)


def test_what_the_bus_never_gets_is_said(invoke, interaction_routes):
    mapping = interaction_routes / "everything" / "mapping.jsonata"
    mapping.write_text('{"source": "s", "detail-type": "t", "detail": {"type": "x"}, "account": "1", "Time": "now"}')

    result = invoke("simulate", "-", "--routes-dir", str(interaction_routes), stdin=orjson.dumps(CALL))

    assert result.exit_code == 0, result.output
    assert "nothing reads account, Time of the mapped event" in result.stdout


def test_the_short_form_becomes_an_event(invoke):
    result = invoke("simulate", "-", "--json", stdin=b'{"interactionId": "abc", "priority": "high"}')

    assert result.exit_code == 0
    told = orjson.loads(result.stdout)
    assert told["originalEvent"]["id"] == "abc"
    assert told["originalEvent"]["payload"] == {"type": "voice", "priority": "high"}


def test_an_event_that_no_route_takes_is_no_failure(invoke):
    result = invoke("simulate", "-", stdin=orjson.dumps(CALL | {"resourceType": "presence"}))

    assert result.exit_code == 0
    assert "No route takes the event" in result.stdout


def test_violations_are_listed_and_exit_1(invoke):
    result = invoke("simulate", "-", stdin=b'{"priority": "high", "createdTime": "noon"}')

    assert result.exit_code == 1
    assert "validate/SchemaViolation" in result.stdout
    assert "detail.timestamp" in result.stdout


def test_other_routes_can_be_tried(invoke, interaction_routes):
    result = invoke("simulate", "-", "--routes-dir", str(interaction_routes), "--json", stdin=b'{"x": 1}')

    assert result.exit_code == 1
    told = orjson.loads(result.stdout)
    assert [route["route"] for route in told["routes"]] == ["everything"]
    assert told["details"][0]["path"] == "detail.type"


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"", "stdin holds no event"),
        (b"{", "not JSON"),
        (b"{}", "an empty object: give a whole event, or any of interactionId"),
        (b"[]", "expected a JSON object"),
        (b"[" * 5000, "nested deeper"),
        (b"\xff", "not JSON"),
        (b'{"interactionId": 1}', "must be text"),
        (b'{"interactionId": "a", "prority": "high"}', "unknown field prority"),
    ],
)
def test_what_is_no_event_is_one_line_and_exit_2(invoke, stdin, says):
    result = invoke("simulate", "-", stdin=stdin)

    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_file_that_is_not_there_is_one_line_and_exit_2(invoke, tmp_path):
    result = invoke("simulate", str(tmp_path / "nothing.json"))

    assert result.exit_code == 2
    assert "cannot be read: No such file" in result.stderr
