"""This module holds the CBOR of the emulator to botocore's own."""

from __future__ import annotations

import math

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from emulators.aws import cbor

SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
def test_what_is_written_is_read_again_by_it_and_by_botocore(value):
    written = cbor.encode(value)
    assert cbor.decode(written) == value
    parser = RpcV2CBORParser()
    assert parser.parse_data_item(parser.get_peekable_stream_from_bytes(written)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x9f\x01\x02\xff", [1, 2]),
        (b"\xbf\x61a\x01\xff", {"a": 1}),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x41a\x41b\xff", b"ab"),
        (b"\xc1\xfb\x41\xd0\x00\x00\x00\x00\x00\x00", 1073741824.0),
        (b"\xf9\x3e\x00", 1.5),
        (b"\xfa\x3f\xc0\x00\x00", 1.5),
        (b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 2**64 - 1),
    ],
)
def test_the_other_forms_are_read(data, value):
    assert cbor.decode(data) == value


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x61", b"\x82\x01", b"\x01\x01", b"\x1c", b"\xf8\x18", b"\x61\xff"])
def test_what_is_not_cbor_is_refused(data):
    with pytest.raises(cbor.CBORError):
        cbor.decode(data)


def test_null_is_kept():
    assert cbor.decode(cbor.encode({"a": None, "b": [None]})) == {"a": None, "b": [None]}


def test_infinity_is_written_as_a_float():
    assert cbor.decode(cbor.encode(math.inf)) == math.inf
