"""Tests of `date-time`: RFC 3339 with a zone, as Python and the SDK can hold it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.formats import instant, is_date_time, parse_time, time_text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00Z",
        "2026-11-23t10:00:00z",
        "2026-11-23T10:00:00.1Z",
        "2026-11-23T10:00:00.123456789Z",
        "2026-11-23T10:00:00+05:30",
        "2024-02-29T23:59:59-11:00",
    ],
)
def test_a_time_of_rfc_3339(text):
    assert is_date_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-11-23 10:00:00Z",
        "2026-11-23T10:00Z",
        "2026-11-23T10:00:00+0530",
        "2026-11-23T10:00:00.Z",
        "2026-02-30T10:00:00Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T10:00:60Z",
        "2026-11-23T10:00:00+24:00",
        "2026-11-23T10:00:00+10:60",
        "٢٠٢٦-11-23T10:00:00Z",
        " 2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00Z\n",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_no_time_of_rfc_3339(text):
    assert not is_date_time(text)


def test_the_zone_counts():
    assert parse_time("2026-11-23T10:00:00+01:00") == datetime(2026, 11, 23, 9, tzinfo=UTC)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_python_writes_is_read_back(moment, minutes):
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(moment.isoformat()) == moment


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_is_not(text):
    assert is_date_time(text) in (True, False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z"),
        ("2026-11-23T10:00Z", "2026-11-23T10:00:00.000Z"),
        ("2026-11-23t10:00:00.9z", "2026-11-23T10:00:00.900Z"),
        ("2026-11-23T11:00:00.264+0100", "2026-11-23T10:00:00.264Z"),
        ("2026-11-23T10:00:00.264+00:00", "2026-11-23T10:00:00.264Z"),
        ("2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.123456Z"),
        (1_795_428_000_900, "2026-11-23T10:00:00.900Z"),
        (1_795_428_000_900.0, "2026-11-23T10:00:00.900Z"),
        ("1795428000900", "2026-11-23T10:00:00.900Z"),
    ],
)
def test_an_instant_however_genesys_writes_it(value, text):
    moment = instant(value)
    assert moment is not None
    assert time_text(moment) == text
    assert is_date_time(text)


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2026-11-23", "2026-11-23T10:00:00", "2026-02-30T10:00:00Z", "9999-12-31T23:59:59-01:00",
     None, True, [], {}, 10**18, float("nan"), float("inf")],
)  # fmt: skip
def test_what_tells_no_instant(value):
    assert instant(value) is None


@given(st.integers(0, 4_102_444_800_000))
def test_epoch_milliseconds_and_their_text_are_the_same_instant(epoch_ms):
    moment = instant(epoch_ms)
    assert moment is not None
    assert instant(time_text(moment)) == moment
