"""This module tests how a route's examples are run and told."""

from __future__ import annotations

import pytest

from processors.routes.differences import Difference
from processors.routes.examples import meets, run_examples
from processors.routes.route import Example, RouteTexts, compile_route

EVENT = {"kind": "voice"}


MAPPING = '{"source": "s", "detail-type": "t", "detail": {"kind": kind}}'


def tried(expect, filter="true", mapping=MAPPING):
    examples = (Example("one", EVENT, expect),)
    texts = RouteTexts("a", "", None, None, None, "schema.json", filter, mapping, {"type": "object"}, examples)
    [found] = run_examples(compile_route(texts))
    return found


def test_an_example_that_holds_has_no_differences():
    found = tried({"detail": {"kind": "voice"}})

    assert found.as_json() == {"example": "one", "holds": True}


def test_a_difference_is_told_by_its_place():
    found = tried({"source": "s", "detail": {"kind": "chat"}})

    assert not found.holds
    assert found.places == (Difference("detail.kind", "chat", "voice"),)


def test_another_outcome_is_told_as_a_whole():
    found = tried({"source": "s"}, filter="false")

    assert found.mismatch == "it was filtered"
    assert found.places == (Difference("the result", {"source": "s"}, "filtered"),)


def test_fields_that_nothing_reads_are_noted():
    found = tried({"source": "s"}, mapping=MAPPING.replace("}}", '}, "Time": "now"}'))

    assert found.holds
    assert "nothing reads Time of the mapped event" in found.note


@pytest.mark.parametrize(
    ("expect", "came", "holds"),
    [
        ("filtered", "filtered", True),
        ("filtered", {"source": "s"}, False),
        ({"source": "s"}, "filtered", False),
        ({"source": "s"}, {"source": "s", "detail": {"a": 1}}, True),
        ({"source": "s"}, {"source": "t"}, False),
        ({"source": "s"}, {"error": "SchemaViolation", "details": ["source"]}, False),
        ({"error": "SchemaViolation"}, {"source": "s"}, False),
        ({"error": "SchemaViolation"}, {"error": "SchemaViolation", "details": ["source"]}, True),
        ({"error": "SchemaViolation", "details": ["time"]}, {"error": "SchemaViolation", "details": ["source"]}, False),
        ({"error": "MappingError"}, {"error": "SchemaViolation", "details": []}, False),
        ({"error": "MappingError"}, {"error": "MappingError"}, True),
    ],
)
def test_what_came_meets_what_is_expected(expect, came, holds):
    assert meets(expect, came) is holds
