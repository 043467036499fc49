"""This module tests the command `routes`."""

from __future__ import annotations

import orjson

from processors.event.errors import RouteError
from processors.routes.engines import ENGINES


def test_lists_every_route_with_its_engine(invoke):
    result = invoke("routes", "--json")

    assert result.exit_code == 0
    found = {route["name"]: route for route in orjson.loads(result.stdout)}
    assert found["interaction"]["source"] == "genesys.cloud"
    assert found["interaction"]["detailType"] == "interaction.event"
    assert found["interaction"]["schema"] == "schema.json"
    assert found["interaction"]["engine"] == ENGINES[0].name


def test_shows_a_table(invoke):
    result = invoke("routes")

    assert result.exit_code == 0
    assert "interaction.event" in result.stdout
    assert "EVENTBUS_NAME" in result.stdout


def test_examples_that_hold_exit_0(invoke):
    result = invoke("routes", "test", "--json")

    assert result.exit_code == 0
    told = orjson.loads(result.stdout)
    assert told["failed"] == 0
    assert told["examples"] == sum(map(len, told["routes"].values())) > 0


def test_an_example_that_does_not_hold_shows_the_difference_and_exits_1(invoke, interaction_routes):
    example = {"event": {"payload": {"type": "voice"}}, "expect": {"detail": {"type": "chat"}}}
    (interaction_routes / "everything" / "examples" / "wrong.json").write_bytes(orjson.dumps(example))

    result = invoke("routes", "test", ROUTES_DIR=str(interaction_routes))
    as_json = invoke("routes", "--json", "test", ROUTES_DIR=str(interaction_routes))

    assert result.exit_code == as_json.exit_code == 1
    assert 'detail.type: "chat" → "voice"' in result.stdout
    assert "1 of 2 examples hold" in result.stdout
    [wrong] = [one for one in orjson.loads(as_json.stdout)["routes"]["everything"] if not one["holds"]]
    assert wrong["differences"] == [{"path": "detail.type", "before": "chat", "after": "voice"}]


def test_another_folder_can_be_named_before_and_after_test(invoke, interaction_routes):
    folder = ("--routes-dir", str(interaction_routes))
    before, after = invoke("routes", *folder, "test", "--json"), invoke("routes", "test", *folder, "--json")

    assert before.exit_code == after.exit_code == 0
    assert before.stdout == after.stdout
    assert list(orjson.loads(after.stdout)["routes"]) == ["everything"]


def test_a_route_that_does_not_compile_is_one_clear_error(invoke, interaction_routes):
    (interaction_routes / "everything" / "mapping.jsonata").write_text("{")

    for arguments in ([], ["test"]):
        result = invoke("routes", *arguments, ROUTES_DIR=str(interaction_routes))
        assert isinstance(result.exception, RouteError)  # which __main__ turns into one line and exit code 2
        assert "everything/mapping.jsonata:1:1: the JSONata does not compile" in str(result.exception)
