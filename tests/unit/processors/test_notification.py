"""Tests of notification frames: kinds, queues, states, and what was seen before."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.notification import (
    SeenEvents,
    SeenStates,
    queue_id,
    read_frame,
    snapshot_key,
    snapshot_state,
    with_queue,
)

QUEUE = "11111111-1111-4111-8111-111111111111"
USER = "22222222-2222-4222-8222-222222222222"
CONVERSATION = "33333333-3333-4333-8333-333333333333"
DETAIL = f"v2.detail.events.conversation.{CONVERSATION}"


def snapshot(participants, topic=f"v2.routing.queues.{QUEUE}.conversations"):
    return {
        "topicName": topic,
        "version": "2",
        "eventBody": {"id": CONVERSATION, "participants": participants},
    }


def agent(state="connected", **fields):
    return {"id": "a", "purpose": "agent", "userId": USER, "calls": [{"id": "c", "state": state}], **fields}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b'{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}', "heartbeat"),
        (b'{"topicName":"channel.metadata","eventBody":{"message":"pong"}}', "pong"),
        (b'{"topicName":"channel.metadata"}', "heartbeat"),
        (b'{"topicName":"v2.system.socket_closing","eventBody":{}}', "closing"),
        (b'{"result":"404","message":"channel expired"}', "gone"),
        (b'{"result":404}', "gone"),
        (b'{"result":"401","message":"the token has expired"}', "gone"),
        (b'{"topicName":"v2.system.no_longer_subscribed","eventBody":{}}', "gone"),
        (b'{"result":"400","status":"error"}', "reply"),
        (b'{"message":"pong"}', "pong"),
        (b'{"message":"WebSocket Heartbeat"}', "reply"),
        (b'{"message":{"not":"control"}}', "event"),
        (b'{"result":"200","status":"subscribed"}', "reply"),
        (b'{"topicName":"v2.users.x.presence","eventBody":{}}', "event"),
        (b'{"topicName":"v2.unheard.of"}', "event"),
        (b'{"no":"ids"}', "event"),
        (b'{"topicName":"v2.x","result":"404"}', "event"),
        (b"[1]", "malformed"),
        (b'{"half":', "malformed"),
        (b"\x00\x01\xff", "malformed"),
        (b"", "malformed"),
        (b"[" * 2_000 + b"]" * 2_000, "malformed"),
    ],
)
def test_kind_of_a_frame(value, kind):
    assert read_frame(value).kind == kind


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_raise(value):
    frame = read_frame(value)
    assert (frame.kind == "malformed") == (frame.envelope is None)


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ({"topicName": f"{DETAIL}.acd.start", "eventBody": {"queueId": QUEUE}}, QUEUE),
        ({"topicName": f"{DETAIL}.customer.end", "eventBody": {}}, None),
        (snapshot([]), QUEUE),
        (snapshot([agent()], f"v2.users.{USER}.conversations"), None),
        (snapshot([agent(queueId="old"), agent(queueId=QUEUE)], f"v2.users.{USER}.conversations"), QUEUE),
        (snapshot([agent(queue={"id": QUEUE})], f"v2.users.{USER}.conversations.calls"), QUEUE),
        ({"topicName": "v2.x", "eventBody": "text"}, None),
        ({"topicName": "v2.x"}, None),
        (snapshot("text", f"v2.users.{USER}.conversations"), None),
        (snapshot([None, {"queue": 5}], f"v2.users.{USER}.conversations"), None),
    ],
    ids=["detail", "detail without", "queue topic", "user without", "user: the last", "nested", "text",
         "no body", "participants no list", "odd participants"],
)  # fmt: skip
def test_queue_of_an_event(envelope, expected):
    assert queue_id(envelope) == expected


def test_the_queue_is_added_and_nothing_else_changes():
    value = b'{"topicName": "v2.x", "eventBody": {"n": 1.50, "big": 9007199254740993}}\n'
    named = with_queue(value, orjson.loads(value), QUEUE, 'Ünïcode "x"')
    assert named.startswith(value.rstrip()[:-1])
    assert orjson.loads(named) == {**orjson.loads(value), "queue": {"id": QUEUE, "name": 'Ünïcode "x"'}}


@pytest.mark.parametrize("value", [b"{}", b'{"queue":{"id":"theirs"}}'])
def test_a_queue_that_is_there_stays(value):
    assert with_queue(value, orjson.loads(value), QUEUE, "x") == value


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (agent(attributes={"k": "v"}), True),
        (agent(connectedTime="2026-01-01T00:00:00Z"), True),
        (agent("terminated"), False),
        (agent(wrapup={"code": "done"}), False),
        (agent(queueId=QUEUE), False),
        ({**agent(), "userId": "another"}, False),
        ({**agent(), "calls": [{"id": "c", "state": "connected", "held": True}]}, False),
    ],
    ids=["attributes", "a time", "state", "wrap-up", "queue", "user", "held"],
)
def test_state_of_a_snapshot_is_its_participants_states(changed, same):
    before = snapshot_state(snapshot([agent()]))
    assert (snapshot_state(snapshot([changed])) == before) is same


def test_state_does_not_depend_on_the_order_and_flat_equals_nested():
    customer = {"id": "k", "purpose": "customer", "calls": [{"state": "connected"}]}
    assert snapshot_state(snapshot([agent(), customer])) == snapshot_state(snapshot([customer, agent()]))
    flat = {"id": "a", "purpose": "agent", "userId": USER, "queueId": QUEUE, "chats": [{"state": "alerting"}]}
    nested = {
        "id": "a",
        "purpose": "agent",
        "user": {"id": USER},
        "queue": {"id": QUEUE},
        "state": "alerting",
    }
    variant = f"v2.routing.queues.{QUEUE}.conversations.chats"
    assert snapshot_state(snapshot([flat])) == snapshot_state(snapshot([nested], variant))


@pytest.mark.parametrize(
    "envelope",
    [
        {"topicName": f"v2.routing.queues.{QUEUE}.users", "eventBody": {"participants": []}},
        {"topicName": f"v2.detail.events.conversation.{CONVERSATION}.acd.start", "eventBody": {}},
        snapshot("no list"),
        {"topicName": f"v2.routing.queues.{QUEUE}.conversations", "eventBody": None},
        {},
    ],
)
def test_other_events_have_no_state(envelope):
    assert snapshot_state(envelope) is None


def test_key_of_a_snapshot_is_topic_and_conversation():
    assert snapshot_key(snapshot([])) == (f"v2.routing.queues.{QUEUE}.conversations", CONVERSATION)


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
    states.is_change(("t", "c"), 1, 90_000)
    states.is_change(("t", "c"), 2, 90_001)
    assert not states.is_unseen(("t", "c"), 1, 10_000)
    assert not states.is_unseen(("t", "c"), 2, 10_000)


def test_a_clock_that_is_a_little_behind_makes_no_state_unseen():
    states = SeenStates()
    states.is_change(("t", "c"), 1, 9_000)
    states.is_change(("t", "c"), 2, 9_500)
    assert not states.is_unseen(("t", "c"), 1, 10_000)


@given(st.permutations(range(6)))
def test_states_may_be_recalled_in_any_order(order):
    states = SeenStates()
    for number in order:
        states.recall(("t", "c"), number % 4, number * 10_000)
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
