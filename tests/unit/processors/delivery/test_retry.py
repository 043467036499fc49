"""Tests of what is tried again, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.retry import (
    AWAY_CAP_S,
    BASE_S,
    CAP_S,
    backoff,
    is_retryable,
    outage_backoff,
)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "InternalException", "Unheard", ""])
def test_tried_again(code):
    assert is_retryable(code)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "InvalidAccountIdException",
        "InvalidArgument",
        "MalformedDetail",
        "RedactionFailure",
        "NotAuthorizedForSourceException",
        "NotAuthorizedForDetailTypeException",
    ],
)
def test_permanent_codes_of_the_api_reference(code):
    assert not is_retryable(code)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_wait_is_within_its_bounds(attempt, chance):
    assert 0 <= backoff(attempt, chance) <= CAP_S
    assert backoff(attempt, chance) <= BASE_S * 2 ** min(attempt, 20)


@pytest.mark.parametrize(("attempt", "expected"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (500, 30)])
def test_wait_doubles_up_to_its_cap(attempt, expected):
    assert backoff(attempt, 1.0) == expected


@pytest.mark.parametrize(("attempt", "expected"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 8), (500, 8)])
def test_an_outage_is_asked_about_often_enough_to_be_over_soon(attempt, expected):
    assert outage_backoff(attempt, 1.0) == expected
    assert outage_backoff(attempt, 0.25) == expected / 4
    assert AWAY_CAP_S < 15, "full speed is promised within 15 s of the end of an outage"


def test_jitter_is_full():
    assert [backoff(4, chance) for chance in (0.0, 0.25, 0.5)] == [0, 4, 8]
