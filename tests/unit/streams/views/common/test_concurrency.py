"""This module tests the bound on requests at once."""

import pytest

from streams.views.common.concurrency import BusyError, ConcurrencyLimit


def test_who_comes_when_it_is_full_is_sent_away_and_let_in_later():
    limit = ConcurrencyLimit(2)
    with limit, limit, pytest.raises(BusyError), limit:
        raise AssertionError("nobody gets here")
    with limit:
        pass


def test_who_fails_leaves_all_the_same():
    limit = ConcurrencyLimit(1)
    with pytest.raises(KeyError), limit:
        raise KeyError
    with limit:
        pass
