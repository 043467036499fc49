"""Tests of what operators did: the latest word on a stage counts, and what is no action is left."""

import orjson
import pytest

from processors.replay.actions import MAX_ACTIONS, MAX_TEXT, Action, Actions, action, pause_in_words, read_action
from processors.replay.period import Period

PAUSE = Action(1_763_895_600_000, "anna", "pause", "sink", "the consumer moves")


def test_an_action_is_read_as_it_was_written():
    for one in (PAUSE, Action(2, "bot", "redrive", None, "redrive-1 --stage publish"), Action(3, "x", "resume")):
        assert read_action(one.encode()) == one


def test_the_latest_word_on_a_stage_counts_and_the_first_pause_is_told():
    later = Action(2, "bert", "pause", "sink")
    assert Actions([PAUSE, later]).paused == {"sink": PAUSE}
    assert Actions([PAUSE, later, Action(3, "bert", "resume", "sink")]).paused == {}
    assert Actions([PAUSE, Action(3, "bert", "resume", "process"), Action(4, "bert", "resume")]).paused == {
        "sink": PAUSE
    }


def test_clocks_that_differ_change_nothing():
    assert Actions([PAUSE, Action(0, "bert", "resume", "sink")]).paused == {}


def test_actions_of_a_time_are_newest_first_and_bounded():
    known = Actions(Action(at, "a", "replay") for at in range(MAX_ACTIONS + 5))
    assert len(known.during()) == MAX_ACTIONS
    assert [one.at_ms for one in known.during(Period(7, 10))] == [9, 8, 7]


def test_a_pause_says_who_since_when_why_and_what_to_do():
    words = pause_in_words(PAUSE)
    for part in ("anna", "2025-11-23T11:00:00Z", "the consumer moves", "resume sink"):
        assert part in words


def test_long_texts_are_cut():
    one = action(1, "w" * 999, "replay", detail="d" * 999)
    assert (len(one.who), len(one.detail)) == (MAX_TEXT, MAX_TEXT)
    assert read_action(one.encode()) == one


@pytest.mark.parametrize(
    "changes",
    [{"at": "now"}, {"at": 2**60}, {"at": True}, {"what": "stop"}, {"what": []}, {"who": 1}, {"who": "x" * 501},
     {"stage": "metrics"}, {"stage": None}, {"stage": ["sink"]}, {"detail": {}}, {"what": "redrive"}],
)  # fmt: skip
def test_what_is_no_action_is_left(changes):
    content = {"at": 1, "who": "a", "what": "pause", "stage": "sink", "detail": ""} | changes
    assert read_action(orjson.dumps(content)) is None


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_left(value):
    assert read_action(value) is None
