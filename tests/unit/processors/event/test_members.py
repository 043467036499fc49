"""Tests of reading JSON that may hold anything: what is of another kind counts as missing."""

import pytest

from processors.event.members import member, objects, text, value_at

BODY = {"queue": {"id": "q", "name": ""}, "users": [{"id": 1}, 2, None], "number": 3, "none": None}


@pytest.mark.parametrize(
    ("read", "path", "found"),
    [
        (value_at, ("queue", "id"), "q"),
        (value_at, ("number", "id"), None),
        (value_at, ("users", "id"), None),
        (text, ("queue", "id"), "q"),
        (text, ("queue", "name"), None),
        (text, ("number",), None),
        (member, ("queue",), BODY["queue"]),
        (member, ("none",), {}),
        (member, ("queue", "id"), {}),
        (objects, ("users",), [{"id": 1}]),
        (objects, ("queue",), []),
        (objects, ("missing", "users"), []),
    ],
)
def test_what_is_of_another_kind_counts_as_missing(read, path, found):
    assert read(BODY, *path) == found


def test_so_does_what_a_value_holds_that_is_no_object():
    assert (value_at(None, "id"), text([], "id"), member("text", "id"), objects(5, "id")) == (None, None, {}, [])
