"""This module tests finding places in the text of JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.json_places import offset_of, syntax_error

TEXT = '{\n "a": [1, {"b\\"c": null}, 3],\n "d": {"e": "x, ]"},\n "f": true\n}'


@pytest.mark.parametrize(
    ("path", "begin"),
    [
        ([], '{\n "a"'),
        (["a"], "[1,"),
        (["a", "1", 'b"c'], "null}"),
        (["a", "2"], "3]"),
        (["d", "e"], '"x, ]"'),
        (["f"], "true"),
        (["d", "missing"], '{"e"'),
        (["missing", "x"], '{\n "a"'),
        (["f", "deeper"], "true"),
    ],
)
def test_a_path_is_found_or_what_is_nearest_around_it(path, begin):
    offset = offset_of(TEXT, path)
    assert TEXT[offset:].startswith(begin)


@pytest.mark.parametrize(
    ("text", "offset"),
    [('{"a": 1,}', 7), ('{"ä": tru}', 6), ("", 0), ("[1, 2", 5)],
    ids=["comma", "word", "empty", "end"],
)
def test_a_mistake_is_told_where_it_is(text, offset):
    found = syntax_error(text)
    assert found is not None
    assert found[0] == offset


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def paths(value, path=()):
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from paths(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, str(index)))


@given(values, st.sampled_from([None, 2]))
def test_every_value_of_any_json_is_found_at_its_place(value, indent):
    text = json.dumps(value, indent=indent)
    assert syntax_error(text) is None
    for path, item in paths(value):
        found, _ = json.JSONDecoder().raw_decode(text, offset_of(text, path))
        assert found == item
