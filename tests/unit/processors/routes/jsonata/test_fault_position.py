"""This module tests where an evaluation is said to have stopped."""

import pytest

from processors.event.identity import identify
from processors.routes.jsonata.fault_position import runtime_fault_offset

EVENT = identify({"id": "x", "a": "t", "payload": {"n": 1}})


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ('{"a": a + 1}', "+ 1}"),
        ('{"x":\n $substring(payload, 1)}', "$substring"),
        ('{"a": $number(a)}', "$number"),
        ("$map([1, 2], function($x){ $x + a })", "+ a"),
        ("/* a comment */ [1..a]", "..a]"),
        ('$error("mine")', "$error"),
    ],
)
def test_the_innermost_part_that_raises_is_the_place(text, begin):
    offset = runtime_fault_offset(text, EVENT, 500)
    assert offset is not None
    assert text[offset:].startswith(begin)


@pytest.mark.parametrize("text", ["$sum([1..3])", "payload.n", "(a"])
def test_without_a_fault_there_is_none(text):
    assert runtime_fault_offset(text, EVENT, 500) is None
