"""Tests of making a history smaller."""

from tests.simulation.plan import CONSUMING, draw
from tests.simulation.planted import BUGS
from tests.simulation.search import tell
from tests.simulation.shrink import shrink


def test_what_a_law_is_not_broken_by_is_cut_away():
    plan = next(plan for plan in map(lambda seed: draw(seed, CONSUMING), range(100)) if len(plan.steps) > 6)
    wanted = plan.steps[3]
    small = shrink(plan, lambda candidate: wanted in candidate.steps)
    assert small.steps == (wanted,)
    assert [len(log) for log in small.logs] == [1]


def test_a_seed_that_breaks_a_law_is_told_in_words():
    bug = next(bug for bug in BUGS if bug.words == "the commit follows the highest ack")
    with bug.planted():
        found = next(found for seed in range(100) if (found := tell("consuming", seed)) is not None)
    told = str(found)
    assert f"--seed {found.seed}" in told
    assert "no commit passes an unsettled event" in told
    assert "partition 0: committed" in told
    assert tell("consuming", found.seed) is None, "without the bug, the same history breaks no law"
