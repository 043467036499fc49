"""Tests of routes: each way an event can end, examples as data, and both engines in step."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.errors import RouteError
from processors.event.identity import derive_event_id, identify
from processors.routes.examples import failing_examples
from processors.routes.jsonata.engines import ENGINES
from processors.routes.outcome import Failed, Filtered, Mapped
from processors.routes.route import Example, RouteTexts, compile_route
from processors.routes.routes import Routes, TriedRoute, outcomes_of
from streams.routes.folder import read_routes

SHIPPED = {texts.name: texts for texts in read_routes(Path(__file__).parents[4] / "schemas")}
EXAMPLES = [(name, example) for name, texts in SHIPPED.items() for example in texts.examples]

MAPPING = '{"detail": {"id": id, "value": value}, "time": time}'


def texts(**changes):
    plain = RouteTexts(
        name="plain",
        description="",
        source="s",
        detail_type="d",
        event_bus=None,
        schema_origin="schema.json",
        filter="id",
        mapping=MAPPING,
        schema={"properties": {"detail": {"required": ["id"]}}},
        examples=(),
    )
    return replace(plain, **changes)


def on(engine, route_texts):
    return compile_route(route_texts, engine=engine)


def apply(body, **changes):
    return compile_route(texts(**changes)).apply(identify(body))


def test_an_event_is_mapped_with_the_route_s_source_and_type():
    assert apply({"id": "x", "value": 1}) == Mapped(
        "plain", {"source": "s", "detail-type": "d", "detail": {"id": "x", "value": 1}}
    )


def test_the_mapping_wins_over_the_route_s_source():
    assert apply({"id": "x"}, mapping='{"source": "mine", "detail": {"id": 1}}').entry["source"] == "mine"


def test_what_the_filter_does_not_take_is_filtered():
    assert apply({"other": 1}) == Filtered()


@pytest.mark.parametrize(
    ("changes", "stage", "error"),
    [
        ({"filter": "$number('x')"}, "filter", "FilterError"),
        ({"filter": "($f := function($n){1 + $f($n)}; $f(1))"}, "filter", "FilterTimeout"),
        ({"mapping": "$number('x')"}, "transform", "MappingError"),
        ({"mapping": "($f := function($n){1 + $f($n)}; $f(1))"}, "transform", "MappingTimeout"),
        ({"mapping": "[1]"}, "transform", "MappingError"),
        ({"mapping": "nothing"}, "transform", "MappingError"),
        ({"mapping": '"text"'}, "transform", "MappingError"),
        ({"mapping": '{"detail": {}}'}, "validate", "SchemaViolation"),
        ({"mapping": '{"detail": [1]}'}, "transform", "MalformedEntry"),
        ({"mapping": "{}"}, "transform", "MalformedEntry"),
        ({"source": None}, "transform", "MalformedEntry"),
        ({"mapping": '{"source": "", "detail": {"id": 1}}'}, "transform", "MalformedEntry"),
        ({"mapping": '{"detail": {"id": 1}, "resources": "x"}'}, "transform", "MalformedEntry"),
        ({"mapping": '{"detail": {"id": 1}, "resources": [1]}'}, "transform", "MalformedEntry"),
        ({"mapping": '{"detail": {"id": 1}, "time": 5}'}, "transform", "MalformedEntry"),
        ({"mapping": '{"detail": {"id": 1}, "time": "today"}'}, "transform", "MalformedEntry"),
    ],
)
def test_whatever_goes_wrong_is_a_failure(changes, stage, error):
    outcome = apply({"id": "x"}, **changes)
    assert isinstance(outcome, Failed)
    assert (outcome.stage, outcome.error, outcome.route) == (stage, error, "plain")


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_without_a_json_word_fail(engine):
    outcome = on(engine, texts(mapping='{"detail": {"id": 1 / 0}}')).apply(identify({"id": 1}))
    assert isinstance(outcome, Failed)


def test_a_failure_after_the_mapping_keeps_what_was_mapped():
    assert apply({"id": "x"}, mapping='{"detail": {"a": 1}}').transformed["detail"] == {"a": 1}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 4.0, 1764000000000123])
def test_a_number_that_is_passed_on_stays_what_it_is(engine, number):
    entry = on(engine, texts()).apply(identify({"id": "x", "value": number})).entry
    assert entry["detail"]["value"] == number


@pytest.mark.parametrize(
    "mapping", ['{"detail": $}', '{"detail": {"id": id, "value": value}}', '{"detail": {"all": [$]}}']
)
def test_a_whole_float_is_an_integer_however_it_is_passed_on(mapping):
    body = {"id": "at 1.0, 2.0]", "value": {"mos": 4.0, "nought": -0.0, "half": 1.5, "list": [1e3, 10**15 + 0.0]}}
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"detail": {"$ref": "#/definitions/any"}},
    }
    schema["definitions"] = {"any": {"properties": {"value": {"properties": {"mos": {"type": "integer"}}}}}}
    found = apply(body, mapping=mapping, schema=schema)
    assert b'{"mos":4,"nought":0,"half":1.5,"list":[1000,1000000000000000]}' in found.written
    assert b"at 1.0, 2.0]" in found.written


def test_two_integers_that_are_the_same_double_are_that_double():
    found = apply({"id": "x", "value": [2**53, 2**53 + 1, 2**54 + 1, 2**54 + 2]}).entry["detail"]["value"]
    assert found == [2**53, 2**53, 2**54, 2**54]


def test_one_number_that_nobody_reads_changes_nothing():
    mapping = '{"detail": {"id": "" & sequence, "rest": wait % 60, "last": legs[-1].state ?? "none"}}'
    body = {"id": "x", "sequence": 1764000000000123, "wait": 75.5, "legs": [{"state": "a"}, {"state": "b"}]}
    found = [apply(body | {"mos": mos}, mapping=mapping).entry["detail"] for mos in (4.1, 4.0, 2**53 + 1)]
    assert found == [{"id": "1764000000000123", "rest": 15.5, "last": "b"}] * 3


@pytest.mark.parametrize(
    ("mapping", "error", "path", "rule"),
    [
        ('{"detail-type": $pad("", 129, "x"), "detail": {"id": 1}}', "EntryLimits", "detail-type", "maxLength"),
        ('{"source": $pad("", 257, "x"), "detail": {"id": 1}}', "EntryLimits", "source", "maxLength"),
        ('{"source": "aws.genesys", "detail": {"id": 1}}', "EntryLimits", "source", "pattern"),
        ('{"detail": {"id": 1}, "resources": ["a", $pad("", 2049, "x")]}', "EntryLimits", "resources.1", "maxLength"),
        ('{"detail": {"id": $pad("", 1000000, "x")}}', "EntryTooLarge", "detail", "maxBytes"),
    ],
)
def test_what_put_events_would_refuse_is_a_violation_with_its_path(mapping, error, path, rule):
    outcome = apply({"id": "x"}, mapping=mapping)
    assert (outcome.stage, outcome.error) == ("validate", error)
    assert [(one.path, one.rule) for one in outcome.details] == [(path, rule)]


def test_what_put_events_just_takes_is_mapped():
    mapping = (
        '{"source": $pad("", 256, "x"), "detail-type": $pad("", 128, "x"), "resources": [$pad("", 2048, "x")],'
        ' "detail": {"id": $pad("", 997500, "x")}}'
    )
    assert isinstance(apply({"id": "x"}, mapping=mapping), Mapped)


def test_what_json_has_no_word_for_is_a_failure():
    halved = replace(compile_route(texts()), mapping=lambda event: {"detail": {"id": "\ud800"}})
    outcome = halved.apply(identify({"id": "x"}))
    assert (outcome.stage, outcome.error) == ("transform", "MappingError")


def test_a_failure_names_the_engine():
    assert apply({"id": "x"}, mapping='{"detail": {}}').engine == "jsonatapy"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"filter": "("}, "plain/filter.jsonata"),
        ({"mapping": "{"}, "plain/mapping.jsonata"),
        ({"schema": {"type": "x"}}, "plain/schema.json"),
    ],
)
def test_a_route_that_does_not_compile_names_its_file(changes, reason):
    with pytest.raises(RouteError, match=reason):
        compile_route(texts(**changes))


def test_an_event_is_tried_on_each_route_in_name_order():
    named = [
        compile_route(texts(name=name, filter=accepts)) for name, accepts in [("b", "id"), ("c", "no"), ("a", "id")]
    ]
    routes = Routes(named)
    kinds = {name: type(outcome) for name, outcome in outcomes_of(routes, identify({"id": "x"})).items()}
    assert list(kinds.items()) == [("a", Mapped), ("b", Mapped), ("c", Filtered)]
    assert ([route.name for route in routes], len(routes)) == (["a", "b", "c"], 3)
    assert (routes.get("b").name, routes.get("gone"), routes.get(None)) == ("b", None, None)


def test_routes_that_were_tried_elsewhere_are_held_by_name_with_their_texts():
    tried = [TriedRoute(texts(name=name), "fast") for name in ("b", "a")]
    routes = Routes(tried)
    assert list(routes) == tried[::-1]
    assert routes.get("b").texts == tried[0].texts


def test_who_runs_examples_hears_of_each_before_it_is_tried():
    heard = []
    route = compile_route(texts(examples=(Example("one", {"id": "x"}, {}),)))
    failing_examples(route, heard.append)
    assert heard == ["one"]


@pytest.mark.parametrize(
    ("expect", "found"),
    [
        ({"detail": {"id": "x"}}, None),
        ({}, None),
        ({"detail": {"id": "y"}}, 'detail.id is "x", not "y"'),
        ({"detail": 7}, "detail is"),
        ({"missing": 1}, "missing is nothing, not 1"),
        ("filtered", "it was mapped"),
        ({"error": "SchemaViolation"}, "it was mapped"),
    ],
)
def test_what_an_example_expects_of_a_mapped_event(expect, found):
    route = compile_route(texts(examples=(Example("one", {"id": "x"}, expect),)))
    failing = failing_examples(route)
    assert (failing == []) if found is None else (found in failing[0][1])


@pytest.mark.parametrize(
    ("body", "expect", "holds"),
    [
        ({"other": 1}, "filtered", True),
        ({"other": 1}, {"error": "SchemaViolation"}, False),
        ({"id": "x"}, {"error": "SchemaViolation"}, True),
        ({"id": "x"}, {"error": "SchemaViolation", "details": ["detail.id"]}, True),
        ({"id": "x"}, {"error": "SchemaViolation", "details": ["other"]}, False),
        ({"id": "x"}, {"error": "MappingError"}, False),
        ({"id": "x"}, {"detail": {}}, False),
        ({"id": "x"}, "filtered", False),
    ],
)
def test_what_an_example_expects_of_another_end(body, expect, holds):
    route = compile_route(texts(mapping='{"detail": {}}', examples=(Example("one", body, expect),)))
    assert (failing_examples(route) == []) is holds


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", value))
def test_every_example_of_every_shipped_route_holds_on_both_engines(engine, name, example):
    route = on(engine, replace(SHIPPED[name], examples=(example,)))
    assert failing_examples(route) == []


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "interaction"])
def test_examples_of_what_genesys_sends_assert_whole_results(name):
    route = on(ENGINES[0], replace(SHIPPED[name], examples=()))
    wholes = [one for one in SHIPPED[name].examples if isinstance(one.expect, dict) and "error" not in one.expect]
    for example in wholes:
        assert route.apply(identify(example.event)).entry == example.expect, example.name


def test_every_shipped_route_has_examples_of_each_end():
    for shipped in SHIPPED.values():
        expects = [example.expect for example in shipped.examples]
        assert "filtered" in expects
        assert any(isinstance(expect, dict) and "error" in expect for expect in expects)
        assert any(isinstance(expect, dict) and "error" not in expect for expect in expects)


def test_the_id_of_a_mapped_event_is_the_same_at_every_try():
    route = compile_route(SHIPPED["interaction"])
    body = next(example.event for _, example in EXAMPLES if example.name == "high-priority-call")
    entries = [route.apply(identify(dict(body))).entry for _ in range(2)]
    assert entries[0] == entries[1]
    assert entries[0]["id"] == entries[0]["detail"]["eventId"] == derive_event_id(body)


FAST, OTHER = (compile_route(SHIPPED["interaction"], engine=engine) for engine in ENGINES)

odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["high", "HIGH", "Priority", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "name", "queue"]), inner, max_size=2)
    ),
    max_leaves=5,
)
times = st.sampled_from(["2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00+01:00", "yesterday", ""])


def field(*usual):
    """Mostly as Genesys sends it, at times missing, null or of another type."""
    return st.one_of(*usual, *usual, odd)


queue = st.fixed_dictionaries(
    {}, optional={"name": field(st.sampled_from(["Priority Support", "Billing", "PRIORITY"]))}
)
payload = st.fixed_dictionaries(
    {},
    optional={
        "type": field(st.sampled_from(["voice", "chat"])),
        "priority": field(st.sampled_from(["high", "low"])),
        "routing": field(st.fixed_dictionaries({}, optional={"queue": field(queue)})),
    },
)
stream_events = st.fixed_dictionaries(
    {"resourceType": field(st.just("interaction"))},
    optional={"id": field(st.uuids().map(str)), "createdTime": field(times), "payload": field(payload)},
)


@given(stream_events)
def test_both_engines_end_an_event_in_the_same_way(body):
    event = identify(body)
    fast, reference = FAST.apply(event), OTHER.apply(event)
    assert type(fast) is type(reference)
    if isinstance(fast, Failed):
        fast, reference = replace(fast, message=""), replace(reference, message="")
    assert fast == reference


@given(st.dictionaries(st.text(max_size=5), odd, max_size=4) | stream_events)
def test_no_event_makes_a_route_raise(body):
    assert isinstance(FAST.apply(identify(body)), Mapped | Filtered | Failed)
