"""This module tests how moments are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.formats import iso
from processors.replay.moments import moment

NOW = 1_795_428_000_000  # 2026-11-23T10:00:00Z
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", NOW - 2 * HOUR),
        ("30m", NOW - HOUR // 2),
        ("45s", NOW - 45_000),
        ("7d", NOW - 7 * 24 * HOUR),
        ("1w", NOW - 7 * 24 * HOUR),
        ("1d12h", NOW - 36 * HOUR),
        (" 0s ", NOW),
        ("2026-11-23T09:00:00Z", NOW - HOUR),
        ("2026-11-23T10:00:00+01:00", NOW - HOUR),
        ("2026-11-23T09:00", NOW - HOUR),
        ("2026-11-23", NOW - 10 * HOUR),
        ("2026-11-23T09:59:59.999Z", NOW - 1),
    ],
)
def test_reads_ages_and_times(text, expected):
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2", "2x", "-2h", "2026-13-01", "2h ago", "٢h", "1969-01-01"])
def test_says_what_can_be_written(text):
    with pytest.raises(ValueError, match=r"is no moment: write an age|before 1970"):
        moment(text, NOW)


def test_an_age_beyond_1970_is_refused():
    with pytest.raises(ValueError, match="before 1970"):
        moment("999999999w", NOW)


@given(st.integers(min_value=0, max_value=32_503_680_000_000))
def test_what_is_written_is_read_as_the_same_moment(epoch_ms):
    assert moment(iso(epoch_ms), NOW) == epoch_ms
