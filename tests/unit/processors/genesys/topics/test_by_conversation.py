"""Tests of which conversations have topics of their own, where, and until when."""

import pytest

from processors.genesys.topics.by_conversation import IDLE_MS, ConversationTopics, is_over

QUEUE_TOPIC = "v2.routing.queues.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.conversations"
TEMPLATES = ("v2.conversations.{conversation}.transcription", "v2.detail.events.conversation.{conversation}.acd.end")


def ident(number):
    return f"{number:08x}-cccc-4ccc-8ccc-cccccccccccc"


def snapshot(number, *states, **fields):
    participants = [{"id": f"p{n}", "calls": [{"state": state}]} for n, state in enumerate(states or ("connected",))]
    return {"topicName": QUEUE_TOPIC, "eventBody": {"id": ident(number), "participants": participants, **fields}}


def topics_of(number):
    return tuple(template.replace("{conversation}", ident(number)) for template in TEMPLATES)


@pytest.fixture
def topics():
    made = ConversationTopics(linger_ms=1_000)
    made.templates = TEMPLATES
    return made


def test_a_conversation_is_given_room_once(topics):
    assert topics.saw(snapshot(1), 0)
    assert topics.waiting
    assert topics.place({0: 10}) == {0: topics_of(1)}
    assert not topics.saw(snapshot(1), 10)
    assert not topics.waiting
    assert topics.place({0: 8}) == {}
    assert topics.held(0) == topics_of(1)


def test_room_is_taken_on_one_channel_and_what_is_left_out_is_told_once(topics):
    for number in range(3):
        topics.saw(snapshot(number), 0)
    assert topics.place({0: 3, 1: 2}) == {0: topics_of(0), 1: topics_of(1)}
    assert topics.counts() == {0: 2, 1: 2}
    assert topics.left_out() == (ident(2),)
    assert topics.left_out() == ()
    assert topics.place({0: 1, 1: 2}) == {1: topics_of(2)}


def test_topics_are_dropped_some_time_after_the_end_and_not_when_it_goes_on(topics):
    for number in (1, 2):
        topics.saw(snapshot(number), 0)
        topics.saw(snapshot(number, "terminated"), 100)
    topics.place({0: 10})
    topics.saw(snapshot(1, "terminated", "alerting"), 500)
    assert topics.forget_over(1_099) == frozenset()
    assert topics.forget_over(1_100) == {0}
    assert topics.held(0) == topics_of(1)
    assert topics.forget_over(500 + IDLE_MS) == {0}
    assert topics.held(0) == ()


def test_the_last_word_of_an_ended_conversation_does_not_bring_its_topics_back(topics):
    topics.saw(snapshot(1), 0)
    topics.saw(snapshot(1, "terminated"), 0)
    topics.forget_over(2_000)
    assert not topics.saw(snapshot(1, "terminated"), 2_001)
    assert topics.saw(snapshot(1, "alerting"), 2_002)


@pytest.mark.parametrize(
    "event",
    [
        {"topicName": "v2.users.x.presence", "eventBody": {"id": ident(1)}},
        {"topicName": QUEUE_TOPIC, "eventBody": {"id": "no uuid", "participants": [{"state": "connected"}]}},
        {"topicName": QUEUE_TOPIC, "eventBody": None},
        {},
    ],
)
def test_only_a_snapshot_makes_a_conversation_known(topics, event):
    assert not topics.saw(event, 0)


def test_a_channel_that_has_less_room_now_sends_some_elsewhere(topics):
    for number in range(3):
        topics.saw(snapshot(number), 0)
    topics.place({0: 6})
    topics.fit(0, 4)
    assert topics.counts() == {0: 4}
    assert topics.place({1: 6}) == {1: topics_of(2)}
    topics.fit(0, 0)
    assert topics.held(0) == ()


def test_memory_is_bounded_and_those_without_room_go_first(topics):
    topics.capacity = 2
    topics.saw(snapshot(0), 0)
    topics.place({0: 2})
    for number in range(1, 5):
        topics.saw(snapshot(number), 0)
    assert topics.held(0) == topics_of(0)
    assert len(topics._seen) == 2


@pytest.mark.parametrize(
    ("body", "over"),
    [
        ({"participants": [{"calls": [{"state": "terminated"}]}, {"chats": [{"state": "disconnected"}]}]}, True),
        ({"participants": [{"calls": [{"state": "terminated"}, {"state": "connected"}]}]}, False),
        ({"participants": [{"state": "terminated"}, {"endTime": "2026-01-01T00:00:00Z"}]}, True),
        ({"participants": [{"purpose": "acd"}]}, False),
        ({"participants": [{"state": "connected"}], "endTime": "2026-01-01T00:00:00Z"}, True),
        ({"participants": []}, False),
        ({"participants": None}, None),
        ({"id": "x"}, None),
        (None, None),
    ],
)
def test_the_end_of_a_conversation(body, over):
    assert is_over({"topicName": QUEUE_TOPIC, "eventBody": body}) is over
