"""This module tests trials of records on routes, and on those that they are compared with."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from processors.replay.attempts import UNREAD, Attempts
from processors.routes.outcome import Failed, Filtered, Mapped
from processors.routes.route import RouteTexts, compile_route

VALUE = orjson.dumps({"type": "voice"})
SCHEMA = {"type": "object", "properties": {"detail": {"required": ["type"]}}}


def route(name, filter="true", mapping='{"source": "s", "detail-type": "t", "detail": {"type": type}}', schema=SCHEMA):
    return compile_route(RouteTexts(name, "", None, None, None, "schema.json", filter, mapping, schema, ()))


def entry(kind):
    return {"source": "s", "detail-type": "t", "detail": {"type": kind}}


def test_there_is_an_outcome_of_every_route_in_their_order():
    routes = [route("a"), route("b", filter="false"), route("c", filter='type = "chat"'), route("d")]

    found = Attempts(routes).of(VALUE, None)

    expected = {"a": Mapped("a", entry("voice")), "b": Filtered(), "c": Filtered(), "d": Mapped("d", entry("voice"))}
    assert (list(found.after.items()), found.before) == (list(expected.items()), None)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"\xff"])
@pytest.mark.parametrize("current", [None, ()])
def test_what_is_no_event_fails_before_any_route(value, current):
    found = Attempts([route("a")], current).of(value, None)

    assert list(found.after) == [UNREAD]
    assert found.after[UNREAD].stage == "source"
    assert found.before == (None if current is None else found.after)


def test_both_sides_are_told():
    found = Attempts([route("a", filter='type = "chat"'), route("c")], [route("a"), route("b")]).of(VALUE, None)

    assert found.after == {"a": Filtered(), "c": Mapped("c", entry("voice"))}
    assert found.before == {"a": Mapped("a", entry("voice")), "b": Mapped("b", entry("voice"))}


def test_a_route_that_both_sides_have_alike_is_tried_once():
    tried = []
    both = [replace(route("a"), mapping=lambda event: tried.append(event) or entry(len(tried))) for _ in range(2)]

    found = Attempts(both[:1], both[1:]).of(VALUE, None)

    assert (len(tried), found.after) == (1, found.before)


@pytest.mark.parametrize(
    "other",
    [
        {"filter": "false"},
        {"mapping": '{"source": "s", "detail-type": "t", "detail": {"type": "chat"}}'},
        {"schema": {"required": ["time"]}},
    ],
)
def test_a_route_that_differs_in_anything_is_tried_on_both_sides(other):
    found = Attempts([route("a", **other)], [route("a")]).of(VALUE, None)

    assert found.before == {"a": Mapped("a", entry("voice"))}
    assert found.after != found.before


def test_a_schema_that_differs_by_a_true_for_a_one_is_another():
    def const(value):
        return route("a", mapping='{"source": "s", "detail-type": "t", "detail": {"n": 1}}', schema=detail(value))

    def detail(value):
        return {"properties": {"detail": {"properties": {"n": {"const": value}}}}}

    found = Attempts([const(True)], [const(1)]).of(VALUE, None)

    assert (type(found.after["a"]), type(found.before["a"])) == (Failed, Mapped)
