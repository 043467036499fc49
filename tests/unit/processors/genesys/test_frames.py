"""Tests of notification frames: kinds, queues, and what makes one that comes again another event."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.identity import derive_event_id
from processors.genesys.frames import came_again, changed_at, queue_id, read_frame, with_queue

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
        (b'{"topicName":"v2.system.socket_closing.streaming-0-x","eventBody":{}}', "closing"),
        (b'{"topicName":"v2.system.no_longer_subscribed","eventBody":{}}', "gone"),
        (b'{"topicName":"v2.system.no_longer_subscribed.streaming-0-x","eventBody":{}}', "gone"),
        (b'{"topicName":"no_longer_subscribed"}', "gone"),
        (b'{"topicName":"v2.system.token_revoked.x","eventBody":null}', "revoked"),
        (b'{"topicName":"v2.system.news","eventBody":{}}', "notice"),
        (b'{"topicName":"v2.subscription.updated","eventBody":{}}', "notice"),
        (b'{"topicName":["v2.system.no_longer_subscribed"]}', "event"),
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
    named, envelope = with_queue(value, orjson.loads(value), QUEUE, 'Ünïcode "x"')
    assert named.startswith(value.rstrip()[:-1])
    assert orjson.loads(named) == envelope == {**orjson.loads(value), "queue": {"id": QUEUE, "name": 'Ünïcode "x"'}}


@pytest.mark.parametrize("value", [b"{}", b'{"queue":{"id":"theirs"}}'])
def test_a_queue_that_is_there_stays(value):
    assert with_queue(value, orjson.loads(value), QUEUE, "x") == (value, orjson.loads(value))


def test_a_state_that_came_again_is_marked_and_is_another_event():
    value = orjson.dumps(snapshot([agent()]))
    marked, envelope = came_again(value, orjson.loads(value), 1_700_000_000_000)
    assert orjson.loads(marked) == envelope == orjson.loads(value) | {"again": 1_700_000_000_000}
    assert derive_event_id(envelope) != derive_event_id(orjson.loads(value))
    named, with_name = with_queue(marked, envelope, "q", "Q")
    assert orjson.loads(named) == with_name == envelope | {"queue": {"id": "q", "name": "Q"}}


def test_a_change_without_a_time_of_its_own_has_that_of_its_receipt_and_the_id_of_its_body():
    value = orjson.dumps({"topicName": "v2.users.u.conversations", "eventBody": {"id": "c"}})
    marked, envelope = changed_at(value, orjson.loads(value), 1_700_000_000_000)
    assert orjson.loads(marked) == envelope == orjson.loads(value) | {"changedAt": 1_700_000_000_000}
    assert derive_event_id(envelope) == derive_event_id(orjson.loads(value))
