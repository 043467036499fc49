"""The simulation shows its teeth: each planted bug is found, in histories from the first seed on."""

import time

import pytest

from tests.simulation.planted import BUGS
from tests.simulation.search import KINDS

#: Seconds that a bug may take; most take less than one.
SECONDS = 40.0


@pytest.mark.parametrize("bug", BUGS, ids=[bug.words.replace(" ", "-") for bug in BUGS])
def test_a_planted_bug_is_found(bug):
    kind, ends = KINDS[bug.kind], time.process_time() + SECONDS
    seed = 0
    with bug.planted():
        while kind.play(kind.plan(seed)) is None:
            seed += 1
            assert time.process_time() < ends, f"{seed} histories, and none broke a law"
