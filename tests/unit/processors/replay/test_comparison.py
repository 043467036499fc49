"""This module tests trials of events on routes, and what other routes would change."""

from __future__ import annotations

import pytest

from processors.event.errors import Violation
from processors.event.headers import Origin
from processors.replay.clusters import FailureCluster
from processors.replay.comparison import Comparison, Survey
from processors.routes.outcome import Failed, Filtered, Mapped
from processors.routes.route import RouteTexts, compile_route

ORIGIN = Origin("genesys.raw", 0, 7)
SCHEMA = {"type": "object", "properties": {"detail": {"required": ["type"]}}}


def route(name, filter="true", mapping='{"source": "s", "detail-type": "t", "detail": {"type": type}}'):
    texts = RouteTexts(name, "", None, None, None, "schema.json", filter, mapping, SCHEMA, ())
    return compile_route(texts)


def entry(kind):
    return {"source": "s", "detail-type": "t", "detail": {"type": kind}}


def failed(error="SchemaViolation", message="breaks"):
    return Failed("validate", error, message, (), "a")


def test_counts_as_a_worker_does():
    survey = Survey()
    survey.add({"a": Mapped("a", entry("voice")), "b": Mapped("b", entry("voice"))})
    survey.add({"a": Filtered(), "b": failed()})
    survey.add({"a": Filtered(), "b": Filtered()})

    assert (survey.mapped, survey.filtered, survey.failed) == (2, 1, 1)
    assert survey.by_route["a"] == {"mapped": 1, "filtered": 2}
    assert survey.errors == {"validate/SchemaViolation": 1}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (Mapped("a", entry("voice")), Mapped("a", entry("voice")), None),
        (Mapped("a", entry("voice")), Mapped("a", entry("chat")), "mapped differently"),
        (Mapped("a", entry("voice")), Filtered(), "now filtered"),
        (Mapped("a", entry("voice")), failed(), "now failed"),
        (Filtered(), Mapped("a", entry("voice")), "now mapped"),
        (failed(), Mapped("a", entry("voice")), "now passing"),
        (failed(), Filtered(), "now filtered"),
        (Filtered(), failed(), "now failed"),
        (failed(), failed(message="in other words"), None),
        (failed(), failed("MappingError"), "fails differently"),
        (Mapped("a", entry(1)), Mapped("a", entry(True)), "mapped differently"),  # which are equal in Python
        (Mapped("a", entry(1)), Mapped("a", entry(1.0)), None),
        (Filtered(), Filtered(), None),
    ],
)
def test_names_what_would_change(before, after, change):
    comparison = Comparison()
    comparison.add(ORIGIN, {"a": before}, {"a": after})

    assert comparison.by_route() == ({"a": {change: 1}} if change else {})
    assert comparison.events == (1 if change else 0)


def test_a_route_that_one_side_lacks_takes_nothing_there():
    comparison = Comparison()
    comparison.add(ORIGIN, {"a": Filtered()}, {"a": Filtered(), "b": Mapped("b", entry("voice"))})

    assert comparison.by_route() == {"b": {"now mapped": 1}}


def test_an_event_that_would_now_fail_is_one_difference():
    comparison = Comparison()
    comparison.add(ORIGIN, {"a": Mapped("a", entry("voice"))}, {"a": failed()})

    [place] = comparison.first[0].places
    assert (place.path, place.before) == ("the result", entry("voice"))
    assert place.after["error"] == failed().error


def test_keeps_the_first_of_each_route_and_kind_in_full_and_counts_all():
    comparison = Comparison(keep=2)
    for _ in range(5):
        comparison.add(ORIGIN, {"a": Mapped("a", entry("voice"))}, {"a": Mapped("a", entry("chat"))})
    comparison.add(ORIGIN, {"a": Mapped("a", entry("voice"))}, {"a": failed(), "b": Mapped("b", entry("voice"))})
    comparison.add(ORIGIN, {"a": Filtered()}, {"a": Filtered()})

    assert (comparison.compared, comparison.events, comparison.unchanged) == (7, 6, 1)
    assert [(one.route, one.change) for one in comparison.first] == [
        ("a", "mapped differently"),
        ("a", "mapped differently"),
        ("a", "now failed"),
        ("b", "now mapped"),
    ]
    assert comparison.first[0].as_json() == {
        "origin": "genesys.raw/0/7",
        "route": "a",
        "change": "mapped differently",
        "differences": [{"path": "detail.type", "before": "voice", "after": "chat"}],
    }


def mapped(**detail):
    return {"a": Mapped("a", {"source": "s", "detail-type": "t", "detail": detail})}


def test_changes_are_grouped_by_field_where_places_of_a_list_are_one():
    comparison = Comparison(keep=0)
    comparison.add(ORIGIN, mapped(legs=[{"end": 1}, {"end": 2}], x=1), mapped(legs=[{"end": 5}, {"end": 6}], x=1))
    comparison.add(ORIGIN, mapped(legs=[{"end": 1}], x=1), mapped(legs=[{"end": 3}], x=2))

    told = [(route, path, change.events, change.first.before) for route, path, change in comparison.most_changed()]
    assert told == [("a", "detail.legs.*.end", 2, 1), ("a", "detail.x", 1, 1)]
    assert comparison.first == []


def test_fields_without_number_are_counted_together():
    comparison = Comparison(max_fields=2)
    for number in range(5):
        comparison.add(ORIGIN, mapped(**{f"id{number}": 1}), mapped(**{f"id{number}": 2}))

    assert {path: change.events for _, path, change in comparison.most_changed()} == {
        "detail.id0": 1,
        "detail.id1": 1,
        "(more fields)": 3,
    }


def test_what_fails_now_has_its_causes():
    comparison = Comparison()
    broken = Failed("validate", "SchemaViolation", "", (Violation("detail.type", "required", "is missing"),), "a")
    comparison.add(ORIGIN, mapped(), {"a": broken})
    comparison.add(ORIGIN, {"a": failed("MappingError")}, {"a": broken})

    assert comparison.causes == {FailureCluster("validate", "SchemaViolation", "a", "detail.type"): 1}


@pytest.mark.parametrize(
    ("after", "changed", "failing"),
    [(mapped(x=1), False, False), (mapped(x=2), True, False), ({"a": failed()}, True, True), ({}, True, False)],
    ids=["the same", "mapped differently", "now failed", "now filtered"],
)
def test_it_fails_on_what_it_is_asked_for(after, changed, failing):
    comparison = Comparison()
    comparison.add(ORIGIN, mapped(x=1), after)

    assert [comparison.fails(one) for one in (None, "changed", "failing")] == [False, changed, failing]
