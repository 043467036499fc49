"""Tests of whole route folders: what came out wrong once, and what is to be refused where it is written."""

from pathlib import Path

import orjson
import pytest

from processors.event.errors import RouteError
from processors.event.identity import identify
from processors.routes.examples import failing_examples, run_examples, second_opinion
from processors.routes.route import compile_route
from processors.routes.routes import Routes
from streams.routes.folder import read_routes

CASES = Path(__file__).parents[3] / "cases" / "routes"


def routes(name):
    return Routes(compile_route(texts) for texts in read_routes(CASES / name))


def mapped(name, event):
    """What each route of a case makes of an event of it, by route."""
    body = orjson.loads((CASES / event).read_bytes())
    found = {route.name: route.apply(identify(body)).entry["detail"] for route in routes(name)}
    assert body == orjson.loads((CASES / event).read_bytes())
    return found


def test_one_number_that_the_mapping_does_not_read_changes_nothing():
    found = [mapped("route_swap", f"swap_{name}.json")["swap"] for name in ("fast", "reference")]
    assert all(one.pop("eventId") for one in found)
    assert found[0] == found[1] == {"order": ["u2", "u3", "u1"], "minutes": "2", "rest": 15.5, "flags": [1, True]}


@pytest.mark.parametrize("event", ["guard_event.json", "guard_event_float.json"])
def test_a_default_is_for_what_is_not_there(event):
    assert mapped("route_guard", event)["guard"]["lastState"] == "terminated"


@pytest.mark.parametrize("event", ["share_event.json", "share_event_float.json"])
def test_a_route_finds_the_event_that_no_other_wrote_into(event):
    found = mapped("route_share", event)["b_second"]
    assert (found["participants"], found["count"]) == ([], 0)


@pytest.mark.parametrize("name", ["route_mutate", "route_mutate2", "route_swap", "route_guard", "route_share"])
def test_the_examples_hold(name):
    assert [failing_examples(route) for route in routes(name) if failing_examples(route)] == []


def test_true_is_not_one_and_null_is_not_absent():
    [route] = routes("route_eq")
    [tried] = run_examples(route)
    assert [(place.path, place.before) for place in tried.places] == [
        ("detail.held", True),
        ("detail.zero", False),
        ("detail.absent", None),
    ]


def copied(tmp_path, name, route, **files):
    """A case folder with files changed."""
    folder = tmp_path / "routes" / route
    (folder / "examples").mkdir(parents=True)
    for path in (CASES / name / route).rglob("*.*"):
        (folder / path.relative_to(CASES / name / route)).write_bytes(path.read_bytes())
    for file, text in files.items():
        (folder / file.replace("__", "/").replace("_", ".")).write_text(text)
    return folder.parent


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("examples__one_json", '{"event": {}, "expect": "filterd"}', 'swap/examples/one.json: expect is "filtered"'),
        ("examples__one_json", '{"event": {}, "expect": {"error": 5}}', "an expected failure has error, a text"),
        ("examples__one_json", '{"event": {}, "expect": {"error": "X", "detail": []}}', "an expected failure has"),
        ("filter_jsonata", "", "swap/filter.jsonata: .* it is empty; a filter that takes every event is `true`"),
        ("mapping_jsonata", '{\n  "a": 1\n  "b": 2\n}', "swap/mapping.jsonata:3:3: .*"),
    ],
)
def test_what_is_surely_not_meant_is_refused(tmp_path, file, text, error):
    folder = copied(tmp_path, "route_swap", "swap", **{file: text})
    with pytest.raises(RouteError, match=error):
        [compile_route(texts) for texts in read_routes(folder)]


def test_what_is_most_likely_not_meant_is_warned_of(tmp_path):
    folder = copied(tmp_path, "route_swap", "swap", maping_jsonata="{}", examples__one_yaml="")
    (folder / "swap" / "examples" / "one.json").unlink()
    [texts] = read_routes(folder)
    assert texts.warnings == (
        "it has no example: add examples/*.json, or nobody sees what it makes of an event",
        "nothing reads maping.jsonata, examples/one.yaml",
    )


def test_an_error_of_the_mapping_is_told_by_its_text(tmp_path):
    mapping = '{"time": $toMillis("x"), "detail": {}}'
    [texts] = read_routes(copied(tmp_path, "route_swap", "swap", mapping_jsonata=mapping))
    [tried] = run_examples(compile_route(texts))
    assert "MappingError: D3110" in tried.mismatch
    assert [place.path for place in tried.places] == ["the result"]


def test_where_the_engines_differ_the_difference_is_shown_and_expect_decides(tmp_path):
    example = '{"event": {"resourceType": "interaction"}, "expect": {"detail": {"a": "i\\u0307\\u03b1\\u03c2"}}}'
    mapping = '{"detail": {"a": $lowercase("\\u0130\\u0391\\u03a3")}}'
    folder = copied(tmp_path, "route_swap", "swap", mapping_jsonata=mapping, examples__one_json=example)
    [texts] = read_routes(folder)
    route = compile_route(texts)
    [tried] = run_examples(route, second_opinion(route))
    assert tried.holds
    assert tried.note.startswith("jsonata-python differs: detail.a is")
    assert tried.note.endswith("it does not meet expect")
    assert route.engine == "jsonatapy"


def test_an_integer_beyond_a_double_is_told():
    [route] = routes("route_swap")
    example = route.texts.examples[0]
    example.event["payload"]["sequence"] = 2**53 + 1
    [tried] = run_examples(route)
    assert "beyond 2^53" in tried.note


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("schema_relref", "/properties/detail/$ref: common.json#/definitions/detail"),
        ("schema_urn", "/properties/detail/$ref: urn:example:detail"),
        ("schema_draft2020ref", "/properties/detail/properties/wrapup/$ref: common.json"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_with_file_pointer_and_remedy(name, pointer):
    with pytest.raises(RouteError) as caught:
        routes(name)
    assert str(caught.value).startswith(f"swap/schema.json: {pointer} leads nowhere: a $ref is")


@pytest.mark.parametrize(("name", "part"), [("schema_relref", "detail"), ("schema_draft2020ref", None)])
def test_a_reference_to_a_file_of_the_folder_is_followed(tmp_path, name, part):
    wanted = {"type": "object", "required": ["nothing"]}
    common = {"definitions": {"detail": wanted}} if part else {"type": "string"}
    folder = copied(tmp_path, name, "swap", common_json=orjson.dumps(common).decode())
    [texts] = read_routes(folder)
    found = compile_route(texts)
    body = orjson.loads((CASES / "swap_fast.json").read_bytes())
    outcome = found.apply(identify(body))
    expected = [("detail.nothing", "required")] if part else []
    assert [(one.path, one.rule) for one in getattr(outcome, "details", ())] == expected


def test_a_keyword_of_a_later_draft_is_warned_of(tmp_path):
    folder = copied(tmp_path, "route_swap", "swap", schema_json='{"dependentRequired": {"a": ["b"]}}')
    [texts] = read_routes(folder)
    assert [warning for warning in texts.warnings if "read as draft 7, which has no dependentRequired" in warning]
