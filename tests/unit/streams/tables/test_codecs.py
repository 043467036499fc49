"""Tests of the tables' codecs: the same bytes as Faust's JSON, and nothing that cannot be read."""

import pytest
from faust.exceptions import ValueDecodeError
from faust.serializers import codecs as faust_codecs
from faust.serializers.registry import Registry
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from streams.app import app
from streams.tables import codecs
from streams.tables.definitions import KEY
from streams.topology import METRICS_KEY

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one),
)


@given(json_values)
def test_the_bytes_are_those_of_json_as_faust_finds_owners_by_them(value):
    for name in (codecs.KEYS, codecs.VALUES):
        assert faust_codecs.dumps(name, value) == faust_codecs.dumps("json", value)
    assert faust_codecs.loads(codecs.VALUES, faust_codecs.dumps("json", value)) == value


@given(st.binary(max_size=50))
def test_no_bytes_make_it_raise_and_every_key_can_be_one(value):
    faust_codecs.loads(codecs.VALUES, value)
    key = faust_codecs.loads(codecs.KEYS, value)
    hash(tuple(tuple(part) if isinstance(part, list) else part for part in key) if isinstance(key, list) else key)


@pytest.mark.parametrize("key", ["pipeline", 5, ["pipeline", [60.0, 119.9]], "3/17/0"])
def test_keys_stay(key):
    assert faust_codecs.loads(codecs.KEYS, faust_codecs.dumps(codecs.KEYS, key)) == key


@pytest.mark.parametrize("value", [b'{"__faust": {"ns": "x"}}', b'{"__faust": {"ns": []}}', b"\xff", b""])
def test_a_value_that_faust_raises_over_is_null(value):
    registry = Registry()
    with pytest.raises(ValueDecodeError):
        registry.loads_value(None, value, serializer="json")
    with capture_logs() as logs:
        assert registry.loads_value(None, value, serializer=codecs.VALUES) is None
    assert [(line["log_level"], line["size"]) for line in logs] == [("warning", len(value))]


@pytest.mark.parametrize("table", app.tables.values(), ids=lambda table: table.name)
def test_every_table_has_them(table):
    topic = table.changelog_topic
    assert (topic.key_serializer, topic.value_serializer) == (codecs.KEYS, codecs.VALUES)


def test_the_key_of_all_deltas_keeps_its_bytes():
    assert app.sums.totals.changelog_topic.prepare_key(KEY, None)[0] == METRICS_KEY


@pytest.mark.parametrize("value", [b"\xff", b"{}", b'["a", {}]', b'[["a", [1]]]', b"["])
def test_what_can_be_no_key_is_null(value):
    assert faust_codecs.loads(codecs.KEYS, value) is None
