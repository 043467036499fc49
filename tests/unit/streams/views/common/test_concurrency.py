"""This module tests the bound on requests at once."""

import pytest

from streams.views.common.answers import RefusedError
from streams.views.common.concurrency import ConcurrencyLimit


def test_who_comes_when_it_is_full_is_sent_away_and_let_in_later():
    limit = ConcurrencyLimit(2, "later")
    with limit.turn(), limit.turn(), pytest.raises(RefusedError, match="later"), limit.turn():
        raise AssertionError("nobody gets here")
    with limit.turn():
        pass


def test_who_fails_leaves_all_the_same():
    limit = ConcurrencyLimit(1, "later")
    with pytest.raises(KeyError), limit.turn():
        raise KeyError
    with limit.turn():
        pass
