"""Tests of a new route from an event: for every example of the shipped routes the files make a route that holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import orjson
import pytest

from processors.event.identity import identify
from processors.routes.authoring.new_route import route_files
from processors.routes.examples import failing_examples
from processors.routes.outcome import Mapped
from processors.routes.route import compile_route
from streams.routes.folder import read_route

#: An event whose time is none makes no start for a route.
EXAMPLES = [path for path in sorted(Path("schemas").glob("*/examples/*.json")) if "malformed" not in path.stem]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[1]}/{path.stem}")
def test_the_route_of_a_real_event_holds_its_own_example(tmp_path, path):
    event = orjson.loads(path.read_bytes())["event"]
    folder = tmp_path / "new-route"
    for name, text in route_files("new-route", event).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    texts = read_route(folder, {})
    assert texts.warnings == ()
    route = compile_route(texts)
    assert failing_examples(route) == []
    assert isinstance(route.apply(identify(event)), Mapped)


def test_another_event_of_the_kind_is_taken_and_one_of_another_kind_is_not(tmp_path):
    topic = "v2.users.11111111-1111-4111-8111-111111111111.activity"
    files = route_files("activity", {"topicName": topic, "eventBody": {"id": "a", "odd name": 1, "in": "x"}})
    assert files["filter.jsonata"] == r"$match(topicName, /^v2\.users\.[^.]+\.activity$/)" + "\n"
    assert "eventBody.`odd name`" in files["mapping.jsonata"]
    assert "eventBody.`in`" in files["mapping.jsonata"]


def test_whatever_a_type_is_called_the_toml_is_one():
    kind = 'a "call"\nor \\ two'
    read = tomllib.loads(route_files("calls", {"id": "a", "resourceType": kind})["route.toml"])
    assert read["description"] == f"Of {kind}"
    assert (read["source"], read["detail-type"]) == ("genesys.cloud", "calls")


@pytest.mark.parametrize("name", ["", "Big", "../up", "a b", "-a"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        route_files(name, {"id": "x"})


@pytest.mark.parametrize("body", [{"eventId": "x"}, {"event": {"id": "x"}}], ids=["its own", "of an object within"])
def test_an_id_of_the_event_s_own_has_another_name_than_ours(body):
    mapping = route_files("calls", {"id": "a", "resourceType": "call", "payload": body})["mapping.jsonata"]
    assert mapping.count('"eventId"') == 1
    assert '"sourceEventId": payload.event' in mapping
