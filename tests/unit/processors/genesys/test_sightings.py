"""Tests of what is remembered: events within a window, and states of conversations by their times."""

from hypothesis import given
from hypothesis import strategies as st

from processors.genesys.sightings import SeenEvents, SeenStates


def test_an_event_is_new_once_within_the_window():
    seen = SeenEvents(window=10)
    assert seen.is_new("a", 0)
    assert not seen.is_new("a", 9.9)
    assert seen.is_new("a", 10)
    assert not seen.is_new("a", 19)


def test_memory_of_events_is_bounded():
    seen = SeenEvents(window=1e9, capacity=100)
    assert all(seen.is_new(str(number), 0) for number in range(1_000))
    assert len(seen) == 100
    assert not seen.is_new("999", 0)
    assert seen.is_new("0", 0)


def test_a_state_is_a_change_unless_it_is_the_last_one():
    states = SeenStates()
    seen = [states.is_change(("t", "c"), state, at_ms) for at_ms, state in enumerate((1, 1, 2, 2, 1))]
    assert seen == [True, False, True, False, True]
    assert states.is_change(("t", "another"), 1, 0)


def test_a_backfilled_state_is_unseen_unless_it_was_seen_at_its_time_or_later():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 10_100)
    states.is_change(("t", "c"), 3, 30_100)
    told = [(10_000, 1), (20_000, 2), (21_000, 2), (30_000, 3), (40_000, 3)]
    assert [states.is_unseen(("t", "c"), state, at_ms) for at_ms, state in told] == [False, True, False, False, False]
    assert not states.is_change(("t", "c"), 3, 50_000), "history does not move the present"


def test_a_state_that_came_back_while_nobody_listened_is_unseen():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 10_100)
    told = [(10_000, 1), (20_000, 2), (25_000, 1), (26_000, 1)]
    assert [states.is_unseen(("t", "c"), state, at_ms) for at_ms, state in told] == [False, True, True, False]
    assert not states.is_change(("t", "c"), 1, 30_000)


def test_a_state_that_came_late_was_seen():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 19_000)
    states.is_change(("t", "c"), 2, 19_001)
    assert not states.is_unseen(("t", "c"), 1, 10_000, 11_000)
    assert not states.is_unseen(("t", "c"), 2, 11_000)


def test_what_came_back_later_tells_nothing_of_the_time_before():
    states = SeenStates()
    connected, held = 1, 2
    states.is_change(("t", "c"), connected, 1_000)
    states.is_change(("t", "c"), held, 60_000)  # held once more, before the query tells of the gap
    told = [(10_000, held, 20_000), (20_000, connected, 59_900), (59_900, held, None)]
    assert [states.is_unseen(("t", "c"), state, at_ms, until) for at_ms, state, until in told] == [True, True, False]


def test_a_state_that_came_back_at_once_is_unseen_though_clocks_may_differ():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 14_500)
    assert states.is_unseen(("t", "c"), 2, 15_000, 16_000)
    assert states.is_unseen(("t", "c"), 1, 16_000)


def test_when_a_state_was_left():
    states = SeenStates()
    assert states.left_at(("t", "c"), 1) is None
    states.is_change(("t", "c"), 1, 1_000)
    assert states.left_at(("t", "c"), 1) is None
    states.is_change(("t", "c"), 2, 2_000)
    assert (states.left_at(("t", "c"), 1), states.left_at(("t", "c"), 2), states.left_at(("t", "c"), 3)) == (
        1_000,
        None,
        None,
    )


def test_a_clock_that_is_a_little_behind_makes_no_state_unseen():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 9_000)
    states.is_change(("t", "c"), 2, 9_500)
    assert not states.is_unseen(("t", "c"), 1, 10_000)


@given(st.permutations(range(6)))
def test_states_may_be_recalled_in_any_order(order):
    states = SeenStates()
    for number in order:
        states.recall(("t", "c"), number % 4, number * 10_000, told=False)
    assert not states.is_change(("t", "c"), 5 % 4, 60_000)
    assert not states.is_unseen(("t", "c"), 5 % 4, 50_000)
    assert states.is_change(("t", "c"), 3, 70_000)


def test_a_live_state_is_the_newest_though_the_last_one_told_is_ahead_of_the_clock():
    states = SeenStates()
    states.is_unseen(("t", "c"), 1, 10_000)
    assert states.is_change(("t", "c"), 2, 9_000)
    assert not states.is_change(("t", "c"), 2, 9_100)


def test_memory_of_states_is_bounded_and_keeps_the_lively():
    states = SeenStates(capacity=10, states=3)
    for number in range(100):
        states.is_change(("t", "lively"), number, number * 10_000)
        states.is_change(("t", str(number)), 1, 0)
    assert len(states) == 10
    assert not states.is_change(("t", "lively"), 99, 1_000_000)
    assert states.is_unseen(("t", "lively"), 0, 0)
