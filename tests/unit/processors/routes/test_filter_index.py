"""Tests of what filters demand: a route that is left out would not have taken the event, and would not have failed."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.identity import SourceEvent, identify
from processors.routes.filter_index import Demand, RouteIndex, demands_of
from processors.routes.jsonata.engines import LEADING
from processors.routes.jsonata.expressions import ExpressionError, as_predicate
from settings import Settings
from streams.routes.folder import read_routes

TYPE = Demand("resourceType", "interaction", is_prefix=False)


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ('resourceType = "interaction"', [TYPE]),
        ("resourceType='interaction'", [TYPE]),
        ('"interaction" = resourceType', [TYPE]),
        ('/* ours */ ((resourceType = "interaction")) and payload.priority = "high"', [TYPE]),
        ('resourceType = "interaction" and (payload.priority = "high" or $contains(name, "x"))', [TYPE]),
        ('resourceType = "\\u0069nteraction"', [TYPE]),
        ('$exists(eventBody) and topicName = "a"', [Demand("eventBody"), Demand("topicName", "a", is_prefix=False)]),
        ('$type(eventBody) = "object"', [Demand("eventBody")]),
        ('$type(topicName) = "string" and $substring(topicName, 0, 3) = "v2."',
         [Demand("topicName"), Demand("topicName", "v2.")]),
        ('$substring(topicName, 0, 3) = "v2." and resourceType = "interaction"', [Demand("topicName", "v2.")]),
    ],
)  # fmt: skip
def test_what_can_be_proven(text, demands):
    assert demands_of(text) == tuple(demands)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'resourceType = "interaction" or payload.priority = "high"',
        '(resourceType = "interaction") = false',
        'resourceType = "interaction" ? false : true',
        '$not(resourceType = "interaction")',
        'resourceType != "interaction"',
        'resourceType in ["interaction"]',
        'resourceType = "interaction" ~> $not',
        '($type := "b"; resourceType = "interaction")',
        'payload.resourceType = "interaction"',
        '$boom() and resourceType = "interaction"',
        'resourceType = $name and resourceType = "interaction"',
        '$substring(topicName, 1, 3) = "v2."',
        '$substring(topicName, 0, 4) = "v2."',
        '$lowercase(resourceType) = "interaction"',
        'and = "interaction"',
        "resourceType = 'a\"b'",
    ],
)
def test_what_cannot_is_always_tried(text):
    assert demands_of(text) == ()


@dataclass(frozen=True)
class Route:
    name: str
    demands: tuple[Demand, ...]


def route(name, text):
    return Route(name, demands_of(text))


def test_routes_are_found_in_their_order():
    index = RouteIndex(
        [
            route("a", 'resourceType = "one"'),
            route("b", "true"),
            route("c", '$exists(eventBody)'),
            route("d", 'resourceType = "two"'),
            route("e", 'resourceType = "one" and resourceType = "two"'),
            route("f", '$substring(topicName, 0, 3) = "v2."'),
        ]
    )  # fmt: skip
    names = lambda body: "".join(one.name for one in index.for_body(body))  # noqa: E731
    assert names({"resourceType": "one"}) == "ab"
    assert names({"resourceType": "two", "eventBody": None}) == "bcd"
    assert names({"resourceType": "three", "topicName": "v2.x"}) == "bf"
    assert names({"topicName": "v3.x"}) == "b"
    assert names({"resourceType": ["one"], "topicName": 7}) == "abdef", "of what is no text nobody knows"
    assert [one.name for one in index] == list("abcdef")


def test_without_routes_there_is_none():
    assert RouteIndex([]).for_body({"resourceType": "one"}) == []


#: Parts of filters, some of which fail for some events.
PARTS = (
    'resourceType = "interaction"', '"v2.a" = topicName', '$exists(eventBody)', '$type(topicName) = "string"',
    '$substring(topicName, 0, 3) = "v2."', '$contains(topicName, "a")', '$error("no")', "payload.n > 1", "true",
    '(resourceType = "other")',
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["interaction", "other", "v2.a", "v2.b", "", "v2"]), st.none(), st.integers(),
    st.sampled_from([["v2.a"], {}]),
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(["resourceType", "topicName", "eventBody", "payload"]), VALUES)


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4), st.sampled_from([" and ", " or "]), BODIES)
def test_what_is_ruled_out_would_have_been_filtered(parts, joint, body):
    text = joint.join(parts)
    if any(one.rules_out(body) for one in demands_of(text)):
        try:
            taken = LEADING.compile(as_predicate(text), 1_000)(SourceEvent(body, "k", "i"))
        except ExpressionError as error:
            raise AssertionError(f"{text} on {body} would have failed: {error}") from None
        assert taken is not True


@pytest.mark.parametrize("texts", read_routes(Settings.model_fields["routes_dir"].default), ids=lambda one: one.name)
def test_the_shipped_filters_demand_something_that_their_own_events_have(texts):
    demands = demands_of(texts.filter)
    assert demands
    taken = [one for one in texts.examples if one.expect != "filtered"]
    for one in taken:
        assert not any(demand.rules_out(identify(one.event).body) for demand in demands), one.name
