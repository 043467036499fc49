"""Tests of failure records: their fields, their limit in bytes, and the event back from them."""

import base64
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.failure_record import encode_record, failure_record, original_bytes
from processors.event.errors import InvalidEventError, Violation
from processors.event.headers import Origin
from processors.routes.outcome import Failed

NOW = datetime(2026, 11, 23, 10, 0, 0, 123_456, tzinfo=UTC)
FAILED = Failed("publish", "ThrottlingException", "slow down", (), "interaction", {"detail": {}}, 5)


def record(original=b'{"id": "x"}', failed=FAILED, **more):
    return failure_record(failed, original, timestamp=NOW, **more)


def test_the_record_of_the_contract():
    assert record(event_id="e", origin=Origin("genesys.raw", 3, 1042)) == {
        "originalEvent": {"id": "x"},
        "error": "ThrottlingException",
        "timestamp": "2026-11-23T10:00:00.123Z",
        "retryAttempt": 5,
        "stage": "publish",
        "message": "slow down",
        "details": [],
        "route": "interaction",
        "eventId": "e",
        "origin": {"topic": "genesys.raw", "partition": 3, "offset": 1042},
        "transformedEvent": {"detail": {}},
    }


def test_every_violation_is_in_the_record():
    violations = [Violation("detail.priority", "required", "is missing"), Violation("time", "format")]
    error = InvalidEventError("breaks its schema", code="SchemaViolation", details=violations)
    assert record(failed=Failed.of(error, "interaction"))["details"] == [
        {"path": "detail.priority", "rule": "required", "message": "is missing"},
        {"path": "time", "rule": "format"},
    ]


@pytest.mark.parametrize(
    "value", [b"\xff\x00", b"{", b"", b"null", b"[" * 300 + b"]" * 300, b'{"a":18446744073709551616}']
)
def test_what_cannot_stand_as_json_is_kept_as_base64(value):
    made = record(value)
    assert made["encoding"] == "base64"
    assert base64.b64decode(made["originalEvent"]) == value
    assert original_bytes(orjson.loads(encode_record(made, 10_000))) == value


def test_an_event_that_is_gone_is_null():
    made = record(None)
    assert made["originalEvent"] is None
    assert "encoding" not in made
    assert original_bytes(made) is None


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "transformed",
    [{"a": 2**70}, {"a": "\ud800"}, {"a": print}, deep(252), deep(254), deep(2_000)],
    ids=[
        "an integer beyond 64 bits",
        "a lone surrogate",
        "a function",
        "deep",
        "a level too deep",
        "far too deep",
    ],
)
def test_any_mapping_result_gives_a_record_that_can_be_written(transformed):
    made = record(failed=Failed("validate", "SchemaViolation", "no", transformed=transformed))
    assert orjson.loads(encode_record(made, 100_000))["error"] == "SchemaViolation"


def test_lone_surrogates_in_messages_do_not_stop_the_record():
    failed = Failed("validate", "SchemaViolation", "a \ud800", (Violation("b.\udfff", "type"),))
    assert orjson.loads(encode_record(record(failed=failed), 10_000))["message"] == "a ?"


def test_what_does_not_fit_goes_in_order():
    failed = Failed("publish", "E", "m", transformed={"t": "x" * 3_000})
    made = record(b'{"id":"' + b"y" * 3_000 + b'"}', failed)
    whole, without, cut = (orjson.loads(encode_record(made, limit)) for limit in (10_000, 5_000, 2_000))
    assert "truncated" not in whole
    assert (without["transformedEvent"], without["truncated"]) == (None, True)
    assert original_bytes(without) == original_bytes(whole)
    assert cut["originalEvent"].startswith('{"id":"yyy')
    assert cut["originalBytes"] == 3_009
    assert original_bytes(cut) is None


def test_as_much_as_fits_is_kept():
    made = record(b'{"id":"' + b"y" * 3_000 + b'"}')
    assert len(encode_record(made, 2_000)) == 2_000


def test_many_violations_are_cut_before_the_event_is():
    failed = Failed(
        "validate", "SchemaViolation", "m" * 9_000, tuple(Violation(f"p.{n}", "type") for n in range(9_000))
    )
    encoded = encode_record(record(failed=failed), 20_000)
    found = orjson.loads(encoded)
    assert len(encoded) <= 20_000
    assert found["originalEvent"] == {"id": "x"}
    assert found["details"][0] == {"path": "p.0", "rule": "type"}
    assert 100 < len(found["details"]) < 9_000


hostile = st.text(st.sampled_from('a"\\\x00\x1f\x7f\u2028é\N{GRINNING FACE}'), max_size=3_000)


@given(
    hostile.map(lambda text: orjson.dumps(text))
    | hostile.map(lambda text: orjson.dumps({text: text}))
    | st.binary(max_size=3_000),
    hostile,
    st.integers(1_500, 8_000),
)
def test_a_record_is_json_and_never_above_its_limit(original, text, limit):
    failed = Failed("validate", "E", text, (Violation(text, "type"),) * 3, "r", {"t": text})
    encoded = encode_record(record(original, failed, event_id="e", origin=Origin("t", 1, 2)), limit)
    assert len(encoded) <= limit
    found = orjson.loads(encoded)
    assert (found["error"], found["route"], found["eventId"]) == ("E", "r", "e")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(values)
def test_json_comes_back_as_the_same_value(value):
    original = orjson.dumps(value)
    assert orjson.loads(original_bytes(orjson.loads(encode_record(record(original), 10**6)))) == value


@given(st.binary(max_size=500))
def test_bytes_come_back(original):
    back = original_bytes(orjson.loads(encode_record(record(original), 10**6)))
    try:
        assert orjson.loads(back) == orjson.loads(original)
    except orjson.JSONDecodeError:
        assert back == original


@pytest.mark.parametrize("original", ["no base64!", "é", {"a": 1}, 7])
def test_a_damaged_record_has_no_original(original):
    assert original_bytes({"originalEvent": original, "encoding": "base64"}) is None
