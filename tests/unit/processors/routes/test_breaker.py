"""When a flood begins, what it is blamed on, and how long an operator's word lasts."""

from __future__ import annotations

from collections import Counter

import pytest

from processors.routes.breaker import QUIET_S, BreakerLimits, FailureTally, Flood, Window, tally
from processors.routes.outcome import Failed
from processors.routes.routes import Encoded, Routed

LIMITS = BreakerLimits(share=0.5, least=100, window_s=60.0)


def batch(taken: int, failed: int, error: str = "validate/X", route: str = "a") -> FailureTally:
    return FailureTally(taken, failed, Counter({(error, route): failed} if failed else {}))


@pytest.mark.parametrize(
    ("taken", "failed", "floods"),
    [
        (100, 51, True),
        (100, 50, False),
        (99, 99, False),
        (1_000, 1_000, True),
        (1_000, 0, False),
        (0, 0, False),
    ],
    ids=["above", "at the share", "too few events", "all", "none", "nothing"],
)
def test_more_than_the_share_of_enough_events_is_a_flood(taken: int, failed: int, floods: bool):
    assert (Window(LIMITS).add(0.0, batch(taken, failed)) is not None) == floods


def test_batches_of_the_window_count_together():
    window = Window(LIMITS)
    assert window.add(0.0, batch(60, 60)) is None
    assert window.add(59.0, batch(60, 60)) == Flood(120, 120, "validate/X", "a")


def test_what_is_older_than_the_window_does_not_count():
    window = Window(LIMITS)
    window.add(0.0, batch(60, 60))
    assert window.add(60.0, batch(60, 60)) is None


def test_the_commonest_cause_is_named():
    window = Window(LIMITS)
    window.add(0.0, batch(40, 40, "transform/MappingTimeout", "b"))
    assert window.add(1.0, batch(60, 60, "filter/FilterError", "c")) == Flood(100, 100, "filter/FilterError", "c")


def test_a_share_of_one_is_never_exceeded():
    assert Window(BreakerLimits(1.0, 1, 60.0)).add(0.0, batch(1_000, 1_000)) is None


def flooded() -> Window:
    window = Window(LIMITS)
    assert window.add(0.0, batch(200, 200)) is not None
    window.resume(10.0)
    return window


def test_after_a_resume_the_window_begins_anew_and_is_quiet():
    window = flooded()
    assert window.add(11.0, batch(200, 200)) is None
    assert window.add(9.0 + QUIET_S, batch(200, 200)) is None


def test_quiet_ends_after_ten_minutes():
    assert flooded().add(10.0 + QUIET_S, batch(200, 200)) is not None


def test_quiet_ends_when_the_share_has_once_fallen():
    window = flooded()
    assert window.add(11.0, batch(200, 0)) is None
    assert window.add(100.0, batch(200, 200)) is not None


def test_too_few_good_events_do_not_end_the_quiet():
    window = flooded()
    assert window.add(11.0, batch(99, 0)) is None
    assert window.add(100.0, batch(200, 200)) is None


def test_an_event_counts_once_and_only_when_a_route_took_it():
    mapped, wrong = Encoded("a", b"{}"), Failed("validate", "SchemaViolation", "m", route="b")
    slow = Failed("filter", "FilterTimeout", "m", route="a")
    malformed = Failed("source", "MalformedJSON", "m")
    answers = [
        Routed("k", "i", ()),
        Routed(None, None, (malformed,)),
        Routed("k", "i", (mapped,)),
        Routed("k", "i", (mapped, wrong)),
        Routed("k", "i", (slow, wrong)),
    ]
    found = tally(answers)
    assert (found.taken, found.failed) == (3, 2)
    assert found.causes == {("validate/SchemaViolation", "b"): 2, ("filter/FilterTimeout", "a"): 1}


def test_a_window_counts_what_is_in_it_however_many_batches_that_were():
    """By sums that are kept: adding up the window for each small batch took a worker's whole time within minutes."""
    window = Window(BreakerLimits(share=0.5, least=10, window_s=60.0))
    for number in range(1_000):
        assert window.add(number / 100, FailureTally(1, number % 10 == 0, Counter())) is None
    assert window.add(69.0, FailureTally(0, 0, Counter())) is None
    kept = [entry for entry in range(1_000) if entry / 100 > 9.0]
    assert (window._taken, window._failed) == (len(kept), sum(entry % 10 == 0 for entry in kept))
    flood = window.add(69.5, FailureTally(200, 200, Counter({("validate/SchemaViolation", "r"): 200})))
    assert flood is not None
    assert (flood.failed, flood.route) == (204, "r")
