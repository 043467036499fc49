"""Tests of the check before counting: deltas and gaps pass, what would poison the tables does not."""

import orjson
import pytest

from processors.metrics.counts import Counts, empty
from processors.metrics.delta import MAX_COUNT, checked

GAP = {"part": 0, "start_ms": 1, "end_ms": 2, "state": "open", "events": 0, "reason": None}


def delta():
    counts = Counts()
    counts.add("ingested", 3)
    counts.fail("validate", "SchemaViolation")
    counts.latency(7 * 24 * 3_600_000)
    return counts.drain()


@pytest.mark.parametrize("content", [delta(), empty(), {"gap": GAP}], ids=["a delta", "an empty one", "a gap"])
def test_what_workers_write_passes(content):
    checked(orjson.dumps(content))


def test_a_counter_of_a_newer_worker_passes():
    checked(orjson.dumps({**delta(), "counts": {"of_tomorrow": 1}}))


@pytest.mark.parametrize("value", [None, b"", b"x", b"[]", b"{}", b"\xff", b'{"counts":' * 3_000])
def test_what_is_no_object_of_ours_does_not(value):
    with pytest.raises(ValueError, match=r"\w"):
        checked(value)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"counts": {}},
        {"counts": {}, "failed": {}},
        {**empty(), "counts": ["ingested"]},
        {**empty(), "counts": "ingested"},
        {**empty(), "failed": 7},
        {**empty(), "latency": {}},
        {**empty(), "latency": {"count": 1, "sum": 1, "buckets": [1, 2]}},
        {**empty(), "latency": None},
    ],
)
def test_another_shape_does_not(content):
    with pytest.raises(ValueError, match="not a delta"):
        checked(orjson.dumps(content))


@pytest.mark.parametrize("row", [None, "text", {}, {"start_ms": 5}, {**GAP, "reason": [[]]}])
def test_what_is_no_gap_does_not(row):
    with pytest.raises(ValueError, match="not a gap"):
        checked(orjson.dumps({"gap": row}))


@pytest.mark.parametrize("number", ["1", None, True, 1.5, -1, MAX_COUNT + 1, 2**63 - 1, [], {}])
@pytest.mark.parametrize(
    "build",
    [
        lambda number: {**empty(), "counts": {"ingested": number}},
        lambda number: {**empty(), "failed": {"validate/X": number}},
        lambda number: {**empty(), "routes": {"calls/mapped": number}},
        lambda number: {**empty(), "latency": {**empty()["latency"], "sum": number}},
        lambda number: {**empty(), "latency": {**empty()["latency"], "buckets": [number] * 20}},
    ],
    ids=["counts", "failed", "routes", "sum", "buckets"],
)
def test_what_is_no_count_does_not(build, number):
    with pytest.raises(ValueError, match="not a delta"):
        checked(orjson.dumps(build(number)))


@pytest.mark.parametrize("part", ["counts", "failed", "routes"])
@pytest.mark.parametrize("names", [{"x" * 201: 1}, {f"x{number}": 1 for number in range(1_001)}], ids=["long", "many"])
def test_names_that_would_fill_the_tables_do_not(part, names):
    with pytest.raises(ValueError, match="more or longer names"):
        checked(orjson.dumps({**empty(), part: names}))


def test_an_error_code_of_any_length_is_counted():
    counts = Counts()
    counts.fail("publish", "X" * 5_000)
    checked(orjson.dumps(counts.drain()))


@pytest.mark.parametrize("buckets", [None, [], [0] * 19, "x", {}])
def test_other_buckets_do_not(buckets):
    with pytest.raises(ValueError, match="other buckets"):
        checked(orjson.dumps({**empty(), "latency": {**empty()["latency"], "buckets": buckets}}))


@pytest.mark.parametrize(
    "change", [{"start_ms": "x"}, {"start_ms": None}, {"part": {}}, {"end_ms": "x"}, {"state": 1}, {"state": None}]
)
def test_a_gap_without_its_times_does_not(change):
    with pytest.raises(ValueError, match="not a gap"):
        checked(orjson.dumps({"gap": {**GAP, **change}}))
