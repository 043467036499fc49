"""Tests of route folders: each way one can be wrong is one clear error that names the file."""

import json
import shutil
from pathlib import Path

import pytest

from processors.event.errors import RouteError
from processors.event.identity import identify
from processors.routes.route import compile_route
from streams.routes.folder import read_routes, registry_names

SCHEMAS = Path(__file__).parents[4] / "schemas"


def compiled(folder, schemas=None):
    """Every route of a folder."""
    return [compile_route(texts) for texts in read_routes(folder, schemas)]


@pytest.fixture
def folder(tmp_path):
    """The shipped `interaction` route in a folder of its own."""
    shutil.copytree(SCHEMAS / "interaction", tmp_path / "interaction")
    return tmp_path


def test_the_shipped_routes_load():
    routes = compiled(SCHEMAS)
    assert {"interaction", "conversation"} <= {route.name for route in routes}
    assert all(route.engine == "jsonatapy" for route in routes)


def test_a_field_that_is_null_is_absent_from_the_conversation_event():
    example = json.loads((SCHEMAS / "conversation/examples/snapshot-with-nulls.json").read_text())
    event = identify(example["event"])
    (outcome,) = (route.apply(event) for route in compiled(SCHEMAS) if route.name == "conversation")
    assert {"priority", "userId", "queueName"}.isdisjoint(outcome.entry["detail"])
    assert "null" not in json.dumps(outcome.entry)


def test_what_is_no_route_is_left_alone(folder):
    (folder / "notes").mkdir()
    (folder / "README.md").write_text("x")
    shutil.copytree(folder / "interaction", folder / ".interaction")
    assert [route.name for route in compiled(folder)] == ["interaction"]


def test_routes_are_in_name_order(folder):
    shutil.copytree(folder / "interaction", folder / "a-first")
    assert [texts.name for texts in read_routes(folder)] == ["a-first", "interaction"]


def test_examples_are_in_name_order(folder):
    names = [example.name for example in read_routes(folder)[0].examples]
    assert names == sorted(names)
    assert len(names) > 5


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("route.toml", "x", r"interaction/route\.toml: not TOML"),
        ("route.toml", b"\xff", r"interaction/route\.toml cannot be read: not UTF-8"),
        ("route.toml", 'sourcé = "x"', r"interaction/route\.toml: not TOML"),
        ("route.toml", 'sorce = "x"', r"interaction/route\.toml: unknown key sorce"),
        ("route.toml", "source = 7", r"interaction/route\.toml: source must be text"),
        ("route.toml", "event-bus = []", r"interaction/route\.toml: event-bus must be text"),
        ("route.toml", 'schema = "schema.json"', r'interaction/route\.toml: schema: .*"REGISTRY:NAME"'),
        ("route.toml", "[schema]\nfile = 7", r"interaction/route\.toml: schema is a table of texts"),
        (
            "route.toml",
            '[schema]\nregistry = "r"',
            r"interaction/route\.toml: schema has either file, or",
        ),
        ("route.toml", '[schema]\nfiel = "r"', r"interaction/route\.toml: schema has either file, or"),
        ("route.toml", '[schema]\nfile = "no.json"', r"interaction/no\.json cannot be read: No such file"),
        ("route.toml", '[schema]\nregistry = "r"\nname = "n"', "the registry schema r:n was not found"),
        ("filter.jsonata", None, r"interaction/filter\.jsonata cannot be read: No such file"),
        ("filter.jsonata", "((", r"interaction/filter\.jsonata:1:2: the JSONata does not compile"),
        ("mapping.jsonata", None, r"interaction/mapping\.jsonata cannot be read"),
        ("mapping.jsonata", "{", r"interaction/mapping\.jsonata:1:1: the JSONata does not compile"),
        ("schema.json", None, r"interaction/schema\.json cannot be read"),
        ("schema.json", "{", r"interaction/schema\.json: not JSON"),
        ("schema.json", "[]", r"interaction/schema\.json: a JSON Schema is an object"),
        ("schema.json", '{"type": "text"}', r"interaction/schema\.json: not a JSON Schema"),
        ("examples/x.json", "{", r"^interaction/examples/x\.json: not JSON"),
        ("examples/x.json", "[]", r"interaction/examples/x\.json: an example is"),
        ("examples/x.json", '{"event": {}}', r"interaction/examples/x\.json: an example is"),
        (
            "examples/x.json",
            '{"event": 7, "expect": "filtered"}',
            r"examples/x\.json: the event is not a JSON object",
        ),
        ("examples/x.json", '{"event": {"n": 9223372036854775808}, "expect": "filtered"}', "beyond int64"),
        ("examples/x.json", '{"event": ' + '{"a":' * 300 + "1" + "}" * 300 + "}", "nested deeper"),
    ],
)
def test_each_way_a_folder_can_be_wrong(folder, file, content, reason):
    path = folder / "interaction" / file
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, "utf-8")
    with pytest.raises(RouteError, match=reason) as caught:
        compiled(folder)
    assert "\n" not in str(caught.value)


def test_no_folder_and_no_route(tmp_path):
    with pytest.raises(RouteError, match=r"ROUTES_DIR .*nowhere is not a folder"):
        compiled(tmp_path / "nowhere")
    with pytest.raises(RouteError, match=r"holds no route: a route is a folder with a route\.toml"):
        compiled(tmp_path)


def test_a_schema_of_the_registry(folder):
    (folder / "interaction/route.toml").write_text(
        'source = "genesys.cloud"\ndetail-type = "interaction.event"\n[schema]\nregistry = "r"\nname = "a@b"'
    )
    assert registry_names(folder) == ["r:a@b"]
    schema = json.loads((folder / "interaction/schema.json").read_text())
    texts = read_routes(folder, {"r:a@b": schema})[0]
    assert (texts.schema, texts.schema_origin) == (schema, "registry r:a@b")
    assert len(compiled(folder, {"r:a@b": schema})) == 1


def test_a_registry_schema_that_is_named_wrongly_is_told_with_all_else_that_is_wrong(folder):
    for name in ("a-first", "b-second", "c-third"):
        shutil.copytree(folder / "interaction", folder / name)
    (folder / "a-first/route.toml").write_text('[schema]\nregistry = "r"\ncolour = "blue"')
    (folder / "b-second/schema.json").write_text("{")
    (folder / "c-third/mapping.jsonata").unlink()
    assert registry_names(folder) == []
    with pytest.raises(RouteError) as told:
        read_routes(folder)
    first, second, third = str(told.value).split("; ")
    assert "has either file, or registry and name, and perhaps version (here: colour, registry)" in first
    assert second.startswith("b-second/schema.json: not JSON")
    assert third.startswith("c-third/mapping.jsonata")


def test_the_options_of_a_route(folder):
    (folder / "interaction/route.toml").write_text(
        'description = "d"\nsource = "s"\ndetail-type = "t"\nevent-bus = "arn:aws:events:x:1:event-bus/b"'
    )
    texts = read_routes(folder)[0]
    assert (texts.description, texts.source, texts.detail_type) == ("d", "s", "t")
    assert texts.event_bus.endswith("/b")
