"""Tests of the metrics stage: only deltas are counted, and anything else stops nothing."""

from types import SimpleNamespace

import orjson
import pytest

from agents import metrics as module
from processors.metrics.counts import empty


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
