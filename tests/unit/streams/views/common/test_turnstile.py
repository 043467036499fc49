"""This module tests the bound on requests at once."""

import pytest

from streams.views.common.turnstile import BusyError, Turnstile


def test_who_comes_when_it_is_full_is_sent_away_and_let_in_later():
    turnstile = Turnstile(2)
    with turnstile, turnstile, pytest.raises(BusyError), turnstile:
        raise AssertionError("nobody gets here")
    with turnstile:
        pass


def test_who_fails_leaves_all_the_same():
    turnstile = Turnstile(1)
    with pytest.raises(KeyError), turnstile:
        raise KeyError
    with turnstile:
        pass
