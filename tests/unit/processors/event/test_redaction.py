"""Masking of fields by path."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.redaction import MASK, redactor

EVENT = {
    "eventBody": {"ani": "tel:+15550100", "participants": [{"address": "a", "id": 1}, {"address": "b"}, 3]},
    "ani": "kept",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("eventBody.ani", {**EVENT, "eventBody": {**EVENT["eventBody"], "ani": MASK}}),
        ("nothing.here", EVENT),
        ("eventBody.ani.deeper", EVENT),
        ("eventBody", {**EVENT, "eventBody": MASK}),
        ("*", {"eventBody": MASK, "ani": MASK}),
        (
            "eventBody.participants.address",
            {
                **EVENT,
                "eventBody": {
                    **EVENT["eventBody"],
                    "participants": [{"address": MASK, "id": 1}, {"address": MASK}, 3],
                },
            },
        ),
    ],
    ids=["a field", "no such field", "below a text", "a whole object", "every field", "through a list"],
)
def test_paths(path, expected):
    before = copy.deepcopy(EVENT)
    redact = redactor([path])
    assert redact is not None
    assert redact(EVENT) == expected
    assert before == EVENT


ATTRIBUTES = {
    "context.email": "e",
    "context": {"email": "f", "other": 1},
    "email": "g",
    "a.b.c": "h",
    "a.b": {"c": "i"},
}


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        ("context.email", {"context.email": MASK, "context": {"email": MASK, "other": 1}}),
        ("a.b.c", {"a.b.c": MASK, "a.b": {"c": MASK}}),
        ("email", {"email": MASK}),
        ("context", {"context": MASK}),
        ("*", dict.fromkeys(ATTRIBUTES, MASK)),
        ("*.c", {"a.b": {"c": MASK}}),
        ("context.*", {"context.email": MASK, "context": {"email": MASK, "other": MASK}}),
        ("a.*", {"a.b.c": MASK, "a.b": MASK}),
        ("a.*.c", {"a.b": {"c": MASK}}),
    ],
)
def test_names_with_dots_in_them_through_lists(path, masked):
    event = {"eventBody": {"participants": [None, {"attributes": ATTRIBUTES}, {"attributes": None}]}}
    redact = redactor([f"eventBody.participants.attributes.{path}"])
    assert redact is not None
    assert redact(event)["eventBody"]["participants"][1]["attributes"] == {**ATTRIBUTES, **masked}


def test_no_paths_is_no_redactor():
    assert redactor([]) is None


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a."])
def test_a_path_with_an_empty_step_is_refused(path):
    with pytest.raises(ValueError, match="field names between dots"):
        redactor([path])


SECRET = "s3cret-value"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
def test_a_masked_field_never_shows_its_value(event):
    event["secret"] = [{"x": SECRET}, {"x": {"deep": SECRET}}]
    redact = redactor(["secret.x"])
    assert redact is not None
    assert SECRET not in repr(redact(event))
