"""Tests of the time that a view is asked for."""

import pytest

from processors.replay.period import Period, period

NOW = 1_764_064_800_000  # 2025-11-25T10:00:00Z


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((None, None, None), None),
        (("5m", None, None), Period(NOW - 300_000, NOW + 1)),
        (("2h/1h", None, None), Period(NOW - 7_200_000, NOW - 3_600_000)),
        (("2025-11-25T09:00:00Z", None, None), Period(NOW - 3_600_000, NOW + 1)),
        ((None, "1d", None), Period(NOW - 86_400_000, NOW + 1)),
        ((None, None, "1h"), Period(0, NOW - 3_600_000)),
        ((None, "2025-11-25T08:00:00", "2025-11-25T11:00:00+01:00"), Period(NOW - 7_200_000, NOW)),
    ],
)
def test_ages_and_times_are_understood(asked, found):
    assert period(*asked, NOW) == found


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("yesterday", None, None), "is no moment"),
        (("", None, None), "is no moment"),
        (("1h/2h", None, None), "ends before it begins"),
        (("5m", "2h", None), "either range"),
        ((None, "1h", "1h"), "ends before it begins"),
        (("9" * 9 + "w", None, None), "before 1970"),
    ],
)
def test_what_is_no_time_is_refused_with_a_word(asked, words):
    with pytest.raises(ValueError, match=words):
        period(*asked, NOW)


def test_a_window_belongs_to_a_time_when_they_share_a_moment():
    asked = Period(60_500, 120_001)
    assert [asked.holds_part_of(begin, begin + 60) for begin in (0, 60, 120, 180)] == [False, True, True, False]
