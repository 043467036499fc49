"""Tests of the schema check: every violation is listed, and the quick and the thorough validator agree."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from processors.event.errors import InvalidEventError, RouteError
from processors.event.formats import FORMATS
from processors.routes.schema import _format_checker, compile_schema

SHIPPED = orjson.loads((Path(__file__).parents[4] / "schemas/interaction/schema.json").read_bytes())
THOROUGH = Draft7Validator(SHIPPED, format_checker=_format_checker())
CHECK = compile_schema(SHIPPED, "shipped")
TIME = "2026-11-23T10:00:00Z"
UUID = "2c6d0b7e-1c9a-4f6b-8f0e-6a1d4a3f9b10"


def mapped(**changes):
    detail = {"eventId": UUID, "interactionId": "i", "type": "voice", "priority": "high", "timestamp": TIME}
    entry = {"source": "genesys.cloud", "detail-type": "interaction.event", "time": TIME, "resources": ["r"]}
    return {**entry, "id": UUID, "detail": detail, **changes}


def violations(check, value):
    with pytest.raises(InvalidEventError) as caught:
        check(value)
    return [(violation.path, violation.rule) for violation in caught.value.details]


def refuses(check, value):
    try:
        check(value)
    except InvalidEventError:
        return True
    return False


def test_a_valid_event_passes():
    assert compile_schema(SHIPPED, "shipped")(mapped()) is None


def test_every_violation_is_listed_in_order():
    broken = mapped(time="yesterday", resources=["", 7], id="x", detail={"type": "", "timestamp": 5})
    del broken["source"]
    assert violations(compile_schema(SHIPPED, "shipped"), broken) == [
        ("detail.interactionId", "required"),
        ("detail.priority", "required"),
        ("detail.timestamp", "type"),
        ("detail.type", "minLength"),
        ("id", "format"),
        ("resources.0", "minLength"),
        ("resources.1", "type"),
        ("source", "required"),
        ("time", "format"),
    ]


def test_messages_hold_the_rule_and_never_the_value():
    with pytest.raises(InvalidEventError) as caught:
        compile_schema(SHIPPED, "shipped")(mapped(time="secret of a caller"))
    assert caught.value.code == "SchemaViolation"
    assert "secret" not in str(caught.value) + str(caught.value.details)
    assert caught.value.details[0].message == "must satisfy format date-time"


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "nonsense"}, "nonsense"),
        ({"properties": 7}, "not a JSON Schema"),
        ({"pattern": "("}, "not a JSON Schema"),
        ({"$ref": "#/definitions/nowhere"}, r"/\$ref: #/definitions/nowhere leads nowhere: a \$ref is"),
        ({"$ref": "http://127.0.0.1:1/schema.json"}, "leads nowhere"),
        ({"$ref": "file:///etc/hostname"}, "leads nowhere"),
        ({"properties": {"a/b": {"$ref": "urn:example:x"}}}, r"/properties/a~1b/\$ref: urn:example:x leads nowhere"),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#", "patternProperties": {r"\p{L}": {}}},
            "not a JSON Schema: /patternProperties: .* is not a 'regex'",
        ),
        ({"properties": {"a": {"pattern": "[z-a]"}}}, "not a JSON Schema: /properties/a/pattern: "),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "https://example.org/x"}, "leads nowhere"),
        ({"$schema": 5}, r"/\$schema: it is no text"),
        ({"$schema": "https://example.org/my-own"}, "unknown \\$schema"),
        ({"$ref": "#"}, r": /\$ref: # leads back to itself"),
        ({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"$ref": "#"}}}, "leads back to itself"),
        ({"properties": {"a": {"if": {"$ref": "#/properties/a"}}}}, "/properties/a/if/.ref: .* leads back to itself"),
        ({"dependencies": {"a": {"not": {"$ref": "#"}}}}, "leads back to itself"),
    ],
)
def test_a_schema_that_is_none_stops_the_start(schema, reason):
    with pytest.raises(RouteError, match=reason) as caught:
        compile_schema(schema, "calls: schema.json")
    assert str(caught.value).startswith("calls: schema.json: ")


@pytest.mark.parametrize(
    ("pattern", "valid", "invalid"),
    [
        ("^a$", ["a"], ["a\n", "ab"]),
        (r"^[$]\d+\$$", ["$1$"], ["$\u09ea$", "$1$\n"]),
        (r"^\w+$", ["a_1"], ["\u00e9"]),
        (r"^[\w-]+$", ["a-b"], ["\u00e9"]),
        (r"^\W\D$", ["\u00e9\u09ea"], ["aa", "-1"]),
        (r"^a\sb\S$", ["a\ufeffbc"], ["a\ufeffb\ufeff"]),
        (r"^(?<year>\d{4})(?!-)$", ["2026"], ["2026-"]),
        (r"^[[]\cI.$", ["[\tx"], ["[\t\u2028"]),
        (r"(?<=a)b\b", ["ab"], ["b", "abc"]),
    ],
)
@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_a_pattern_means_what_it_means_in_json_schema(draft, pattern, valid, invalid):
    schema = {
        "$schema": draft,
        "properties": {"§": {"pattern": pattern}},
        "patternProperties": {pattern: {"type": "null"}},
    }
    check = compile_schema(schema, "s")
    for text in valid:
        check({"§": text})
        assert violations(check, {text: 1}) == [(text, "type")]
    for text in invalid:
        check({text: 1})
        with pytest.raises(InvalidEventError) as caught:
            check({"§": text})
        assert caught.value.details[0].message == f"must satisfy pattern {pattern}"


def test_newer_drafts_keep_their_keywords():
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "string"}]}
    check = compile_schema(schema, "new")
    assert check(["text"]) is None
    assert violations(check, [7]) == [("0", "type")]


def test_a_schema_may_refer_to_its_parts_by_id_and_to_files_beside_it():
    schema = {
        "$id": "https://example.org/root.json",
        "properties": {
            "a": {"$ref": "item.json"},
            "b": {"$ref": "common.json#/definitions/b"},
            "c": {"$ref": "#/$defs/c"},
        },
        "definitions": {"item": {"$id": "item.json", "type": "string"}},
        "$defs": {"c": {"type": "boolean"}},
    }
    common = {"definitions": {"b": {"$ref": "deeper.json"}}}
    check = compile_schema(schema, "files", {"common.json": common, "deeper.json": {"type": "integer"}})
    assert check({"a": "x", "b": 1, "c": True}) is None
    assert violations(check, {"a": 1, "b": "x", "c": 0}) == [("a", "type"), ("b", "type"), ("c", "type")]


def test_a_schema_may_hold_itself_for_what_is_inside_of_its_values():
    tree = {"properties": {"left": {"$ref": "#"}, "right": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}
    check = compile_schema({**tree, "required": ["id"]}, "tree")
    assert check({"id": 1, "left": {"id": 2}, "right": None}) is None
    assert violations(check, {"id": 1, "left": {}}) == [("left.id", "required")]


def test_a_file_beside_a_schema_is_a_schema_too():
    with pytest.raises(RouteError, match="no JSON Schema: /pattern"):
        compile_schema({"properties": {"a": {"$ref": "common.json"}}}, "files", {"common.json": {"pattern": "("}})


@pytest.mark.parametrize("name", ["const", "default", "enum", "examples", "properties", "$ref"])
def test_a_field_may_have_the_name_of_a_keyword(name):
    with pytest.raises(RouteError, match=r"/properties/.*/\$ref: other.json leads nowhere"):
        compile_schema({"properties": {name: {"$ref": "other.json"}}}, "s")
    check = compile_schema(
        {"properties": {name: {"$ref": "#/definitions/a"}}, "definitions": {"a": {"type": "null"}}}, "s"
    )
    assert violations(check, {name: 1}) == [(name, "type")]


@pytest.mark.parametrize("keyword", ["const", "enum", "default"])
def test_what_looks_like_a_reference_in_a_value_is_followed_by_nobody(keyword):
    value = {"$ref": "http://127.0.0.1:9/x"}
    check = compile_schema({"properties": {"a": {keyword: [value] if keyword == "enum" else value}}}, "s")
    check({"a": value})


def test_a_file_that_is_no_schema_is_named():
    wrong = {"properties": {"a": {"type": "objekt"}}}
    with pytest.raises(
        RouteError, match=r"^s: /\$ref: common.json leads to what is no JSON Schema: /properties/a/type: "
    ):
        compile_schema({"$ref": "common.json"}, "s", {"common.json": wrong})


def test_a_schema_that_is_false_fails_the_event():
    check = compile_schema({"properties": {"a": False, "b": True}}, "booleans")
    assert check({"b": 1}) is None
    assert violations(check, {"a": 1}) == [("", "false")]


@pytest.mark.parametrize("levels", [300, 600, 900])
def test_a_value_too_deep_for_its_schema_fails_as_an_event(levels):
    check = compile_schema({"type": "object", "additionalProperties": {"$ref": "#"}}, "deep")
    value = 7
    for _ in range(levels):
        value = {"a": value}
    assert refuses(check, value)


def test_defaults_are_not_filled_in():
    value = {}
    compile_schema({"properties": {"a": {"default": 1}}}, "defaults")(value)
    assert value == {}


@pytest.mark.parametrize(
    ("name", "valid", "invalid"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("date", "2026-11-23", "২০২৬-১১-২৩"),
        ("time", "10:00:00.5+01:00", "10:00:00"),
        ("ipv4", "127.0.0.1", "127.0.0.01"),
        ("ipv6", "::1", "::1%eth0"),
        ("idn-hostname", "anything", None),
        ("email", "anything", None),
    ],
)
def test_a_format_is_checked_rightly_or_not_at_all(name, valid, invalid):
    check = compile_schema({"properties": {"a": {"format": name}}}, name)
    assert check({"a": valid}) is None
    assert invalid is None or violations(check, {"a": invalid}) == [("a", "format")]


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_checked_by_both_validators(name):
    schema = {"properties": {"a": {"format": name}}}
    assert violations(compile_schema(schema, name), {"a": "\n"}) == [("a", "format")]


texts = st.sampled_from([TIME, "yesterday", UUID, "", "genesys.cloud", "interaction.event"]) | st.text(max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
fields = ["source", "detail-type", "time", "resources", "id", "detail"]
inner_fields = ["eventId", "interactionId", "type", "priority", "timestamp"]


@st.composite
def nearly_valid(draw):
    entry = mapped()
    for name in draw(st.sets(st.sampled_from(inner_fields), max_size=2)):
        entry["detail"][name] = draw(values)
    for name in draw(st.sets(st.sampled_from(fields), max_size=2)):
        entry[name] = draw(values)
    for name in draw(st.sets(st.sampled_from(fields), max_size=1)):
        del entry[name]
    return entry


@given(nearly_valid())
def test_both_validators_agree(entry):
    expected = {".".join(map(str, error.absolute_path)) for error in THOROUGH.iter_errors(entry)}
    check = CHECK
    assert refuses(check, entry) == bool(expected)
    if expected:
        assert all(rule != "schema" for _, rule in violations(check, entry))


rules = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]),
        "minLength": st.integers(0, 3),
        "maximum": st.integers(-3, 3),
        "enum": st.lists(st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", ""]), min_size=1),
        "required": st.lists(st.sampled_from(["a", "b"]), unique=True, min_size=1),
        "items": st.sampled_from([{"type": "integer"}, {"minLength": 1}]),
        "uniqueItems": st.booleans(),
        "format": st.sampled_from(["date-time", "uuid", "email", "ipv4", "unknown"]),
        "properties": st.sampled_from([{"a": {"type": "string"}}, {"a": {"const": 1}, "b": {"not": {}}}]),
    },
)


@given(rules, values)
def test_both_validators_agree_on_other_schemas(schema, value):
    thorough = Draft7Validator(schema, format_checker=_format_checker())
    assert refuses(compile_schema(schema, "any"), value) != thorough.is_valid(value)
