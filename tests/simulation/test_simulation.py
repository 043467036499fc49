"""Plays histories for a few seconds: the laws hold in each of them, whatever the seed is."""

import pytest

from tests.simulation.search import KINDS, search

#: Seconds for each kind; `make simulate` looks for as long as one likes.
SECONDS = 10.0


@pytest.mark.parametrize("kind", KINDS)
def test_no_history_breaks_a_law(kind):
    result = search(kind, SECONDS / len(KINDS))
    assert result.found is None, f"\n{result.found}"
    assert result.histories > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_one_history(kind):
    """Played twice, it takes the same time to the last digit."""
    ends = []
    for _ in range(2):
        plan = KINDS[kind].plan(7)
        KINDS[kind].play(plan, ends.append)
    assert ends[0] == ends[1]
