"""This module tests the command `routes`."""

from __future__ import annotations

import shutil

import orjson
import pytest

from processors.event.errors import RouteError
from processors.routes.jsonata.engines import ENGINES


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

    result = invoke("routes", ROUTES_DIR=str(interaction_routes))
    assert isinstance(result.exception, RouteError)  # which __main__ turns into one line and exit code 2
    assert "everything/mapping.jsonata:1:1: the JSONata does not compile" in str(result.exception)


def test_a_wrong_route_does_not_keep_the_others_from_being_tested(invoke, interaction_routes):
    shutil.copytree(interaction_routes / "everything", interaction_routes / "broken")
    lines = ["{", *[f'  "f{number}": {number},' for number in range(123)], '  "last" 1', "}"]
    (interaction_routes / "broken" / "mapping.jsonata").write_text("\n".join(lines))

    result = invoke("routes", "test", ROUTES_DIR=str(interaction_routes))
    as_json = orjson.loads(invoke("routes", "test", "--json", ROUTES_DIR=str(interaction_routes)).stdout)

    assert result.exit_code == 2
    assert "1 of 1 examples hold" in result.stdout
    assert "broken/mapping.jsonata:125:10: the JSONata does not compile" in result.stdout
    assert 'in `"last" 1`' in result.stdout
    assert list(as_json["wrong"]) == ["broken"]
    assert list(as_json["routes"]) == ["everything"]


@pytest.mark.parametrize("command", [("routes",), ("routes", "export", "out"), ("simulate", "-")], ids=" ".join)
def test_all_that_is_wrong_with_the_routes_is_told_at_once(invoke, interaction_routes, monkeypatch, tmp_path, command):
    for name, file in (("first", "mapping.jsonata"), ("second", "schema.json"), ("third", "route.toml")):
        shutil.copytree(interaction_routes / "everything", interaction_routes / name)
        (interaction_routes / name / file).write_text("{ (")
    monkeypatch.chdir(tmp_path)

    result = invoke(*command, stdin=b'{"type": "voice"}', ROUTES_DIR=str(interaction_routes))

    told = str(result.exception).split("; ")
    assert [one.partition(":")[0] for one in told] == [
        "first/mapping.jsonata",
        "second/schema.json",
        "third/route.toml",
    ]
    assert not (tmp_path / "out").exists()


def test_an_error_while_mapping_is_told_in_its_words(invoke, interaction_routes):
    (interaction_routes / "everything" / "mapping.jsonata").write_text('{"time": $toMillis("x")}')

    result = invoke("routes", "test", ROUTES_DIR=str(interaction_routes))

    assert result.exit_code == 1
    assert "D3110" in result.stdout
    assert "nothing" not in result.stdout


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("examples/call.json", '{"event": {}, "expect": "filterd"}', 'expect is "filtered"'),
        ("filter.jsonata", "  \n", "it is empty"),
        ("route.toml", 'descriptoin = "x"', "unknown key descriptoin"),
        ("schema.json", '{"properties": {"detail": {"type": "objekt"}}}', "/properties/detail/type"),
    ],
)
def test_what_is_written_wrong_is_one_line_with_its_place(invoke, interaction_routes, file, text, words):
    (interaction_routes / "everything" / file).write_text(text)

    result = invoke("routes", "test", ROUTES_DIR=str(interaction_routes))

    assert result.exit_code == 2
    assert words in " ".join(result.stdout.split())


def test_a_route_is_made_from_an_event_and_never_over_another(invoke, interaction_routes, tmp_path):
    event = tmp_path / "event.json"
    event.write_text('{"resourceType": "interaction", "eventType": "ended", "payload": {"type": "chat"}}')
    arguments = ("new", "ended-chats", "--from", str(event), "--routes-dir", str(interaction_routes))

    made, again = invoke("routes", *arguments), invoke("routes", *arguments)

    assert made.exit_code == 0, made.output
    assert invoke("routes", "test", ROUTES_DIR=str(interaction_routes)).exit_code == 0
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(("name", "text"), [("Bad Name", "{}"), ("good", "[]"), ("good", "{"), ("good", None)])
def test_what_makes_no_route_writes_nothing(invoke, interaction_routes, tmp_path, name, text):
    if text is not None:
        (tmp_path / "event.json").write_text(text)
    before = sorted(interaction_routes.rglob("*"))

    result = invoke("routes", "--routes-dir", str(interaction_routes), "new", name, "--from", f"{tmp_path}/event.json")

    assert result.exit_code == 2
    assert sorted(interaction_routes.rglob("*")) == before


def test_consumers_are_told_what_will_be_on_the_bus(invoke, tmp_path):
    result = invoke("routes", "export", f"{tmp_path}/out")

    assert result.exit_code == 0
    assert orjson.loads((tmp_path / "out/rules/interaction.json").read_bytes()) == {
        "source": ["genesys.cloud"],
        "detail-type": ["interaction.event"],
    }
    assert orjson.loads((tmp_path / "out/asyncapi.json").read_bytes())["asyncapi"] == "3.0.0"
    (tmp_path / "file").write_text("")
    assert invoke("routes", "export", f"{tmp_path}/file/out").exit_code == 2
