"""This module tests how differences between JSON values are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.routes.differences import MISSING, Difference, differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)]),
        ({"a": 1}, {}, [Difference("a", 1, MISSING)]),
        ({}, {"a": 1}, [Difference("a", MISSING, 1)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [Difference("a.1", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [Difference("a", [1], [1, 2])]),
        (1, "1", [Difference("the result", 1, "1")]),
        ({"a": True}, {"a": 1}, [Difference("a", True, 1)]),
    ],
)
def test_names_each_place(before, after, expected):
    assert list(differences(before, after)) == expected


def test_a_partial_comparison_leaves_fields_free_that_are_not_named():
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, partial=True)) == []


def test_a_missing_side_is_left_out_of_json():
    assert Difference("a", MISSING, None).as_json() == {"path": "a", "after": None}


@given(JSON)
def test_nothing_differs_from_itself(value):
    assert list(differences(value, value)) == []
