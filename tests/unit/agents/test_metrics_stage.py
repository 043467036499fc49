"""Tests of the metrics stage: only deltas are counted, and anything else stops nothing."""

from types import SimpleNamespace

import orjson
import pytest

from agents import metrics as module
from processors.metrics.counts import empty
from streams.tables import updates


def delta():
    return {**empty(), "counts": {"ingested": 2}}


def test_a_delta_is_read():
    assert updates.read_delta(orjson.loads(orjson.dumps(delta()))) == delta()


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"counts": {}},
        {**empty(), "counts": ["ingested"]},
        {**empty(), "counts": "ingested"},
        {**empty(), "counts": {"ingested": "2"}},
        {**empty(), "counts": {"ingested": None}},
        {**empty(), "failed": 7},
        {**empty(), "latency": {}},
        {**empty(), "latency": {"count": 1, "sum": 1, "buckets": [1, 2]}},
        {**empty(), "latency": {"count": 1, "sum": 1, "buckets": ["x"] * 20}},
        {**empty(), "latency": None},
    ],
)
def test_another_shape_is_a_value_error(content):
    with pytest.raises(ValueError, match=r"not a delta|zip"):
        updates.read_delta(content)


@pytest.mark.parametrize(
    "value",
    [
        *(None, b"", b"x", b"[]", b"7", b'{"counts": 1}', b"\xff", b'{"gap": 7}', b'{"gap": {}}'),
        b'{"gap": {"part": 0, "start_ms": "x", "state": "open"}}',  # would not sort
        orjson.dumps({**empty(), "counts": {"ingested": 2**63 - 1}}),  # twice that is no int64
    ],
)
def test_what_is_no_delta_is_left(event, value):
    assert module.apply(SimpleNamespace(value=value, message=event(value))) is None
