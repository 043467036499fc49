"""Tests of reading bytes as events: what is refused and why, and identities that stay."""

import json
import uuid
from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event import strict_json
from processors.event.errors import MalformedEventError
from processors.event.identity import derive_event_id, event_of_bytes, identify, interaction_id, is_uuid
from processors.event.strict_json import MAX_DEPTH, has_foreign_number, json_type, parse, parse_object

CONVERSATION = "2c6d0b7e-1c9a-4f6b-8f0e-6a1d4a3f9b10"
INT64_MAX = 2**63 - 1

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), INT64_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=5)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "MalformedEvent"),
        (b"", "MalformedEvent"),
        (b"{", "MalformedJSON"),
        (b"{'id': 1}", "MalformedJSON"),
        (b'{"id": 1} trailing', "MalformedJSON"),
        (b'{"id": "\xff\xfe"}', "MalformedJSON"),
        (b"\xff\xfe{\x00}\x00", "MalformedJSON"),
        (b'{"id": "\\ud83d"}', "MalformedJSON"),
        (b'{"id": "\xed\xa0\xbd"}', "MalformedJSON"),
        (b'{"id": NaN}', "MalformedJSON"),
        (b'{"id": 1e400}', "MalformedJSON"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "MalformedJSON"),
        (b"[]", "NotAnObject"),
        (b"null", "NotAnObject"),
        (b"7", "NotAnObject"),
        (b'"text"', "NotAnObject"),
        (b"true", "NotAnObject"),
        (b'{"number": 9223372036854775808}', "NumberOutOfRange"),
        (b'{"number": -9223372036854775809}', "NumberOutOfRange"),
        (b'{"deep": [{"number": 123456789012345678901234567890}]}', "NumberOutOfRange"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "NestedTooDeep"),
        (b"[" * 2_000 + b"]" * 2_000, "NestedTooDeep"),
        (b"[" * 2_000, "NestedTooDeep"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "NestedTooDeep"),
    ],
    ids=[
        "no value",
        "no bytes",
        "cut off",
        "not JSON",
        "more than one value",
        "invalid UTF-8",
        "UTF-16",
        "a lone surrogate",
        "a surrogate in UTF-8",
        "NaN",
        "beyond a double",
        "5,000 digits",
        "an array",
        "null",
        "a number",
        "text",
        "a boolean",
        "above int64",
        "below int64",
        "a long integer within",
        "objects 2,000 deep",
        "arrays 2,000 deep",
        "2,000 deep without end",
        "one level too deep",
    ],
)
def test_bad_bytes_are_refused_with_their_reason(value, code):
    with pytest.raises(MalformedEventError) as caught:
        event_of_bytes(value)
    assert (caught.value.code, caught.value.stage) == (code, "source")


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
        b'{"number": 9223372036854775807, "other": -9223372036854775808}',
        b'{"text": "123456789012345678901234567890"}',
        b'{"number": 0.12345678901234567890123}',
        b'{"text": "' + b"[{" * 2_000 + b'\\""}',
        b"{" + b",".join(b'"%d": [{}]' % number for number in range(500)) + b"}",
        '{"text": "\N{GRINNING FACE}\\ud83d\\ude00", "": ""}'.encode(),
        b"{}",
    ],
    ids=[
        "as deep as allowed",
        "int64",
        "digits in a text",
        "a long fraction",
        "brackets in a text",
        "wide, not deep",
        "emoji and empty texts",
        "an empty object",
    ],
)
def test_unusual_events_are_read_as_they_are(value):
    assert event_of_bytes(value).body == json.loads(value)


@pytest.mark.parametrize(
    "value",
    [b'"' * 100_000, b'{"a":"' + b"\\" * 100_001, b'{"a":"' + b'\\"' * 100_000, b"[" * 100_000],
    ids=["quotes", "backslashes", "escaped quotes", "brackets"],
)
def test_hostile_bytes_take_one_pass(value):
    padded = b"[" * (MAX_DEPTH // 2) + b"]" * (MAX_DEPTH // 2) + b"[]" * MAX_DEPTH + value
    with pytest.raises(MalformedEventError):
        parse(padded)


def test_five_megabytes_are_read_whole():
    text = "\N{GRINNING FACE}" * 1_250_000
    assert event_of_bytes(json.dumps({"text": text}, ensure_ascii=False).encode()).body == {"text": text}


@given(json_objects)
def test_what_json_writes_is_read_back(body):
    assert parse_object(json.dumps(body, ensure_ascii=False).encode()) == body


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value):
    try:
        body = event_of_bytes(value).body
    except MalformedEventError:
        return
    assert body == json.loads(value)


@given(json_objects, st.randoms())
def test_identity_does_not_depend_on_the_order_of_keys(body, random):
    keys = list(body)
    random.shuffle(keys)
    shuffled = {key: body[key] for key in keys}
    assert derive_event_id(body) == derive_event_id(shuffled)
    assert is_uuid(derive_event_id(body))


def test_identity_is_fixed_for_all_time():
    # Consumers drop duplicates by it: this value may change in no version.
    assert derive_event_id({"id": "1", "resourceType": "interaction"}) == "50b2e21d-18b2-524d-bc5d-085a2ece71ff"


def test_identity_tells_events_apart():
    assert derive_event_id({"id": "1"}) != derive_event_id({"id": "2"}) != derive_event_id({"id": 2})


def notification(correlation="a", **body):
    return {
        "topicName": f"v2.routing.queues.{uuid.UUID(int=7)}.conversations",
        "version": "2",
        "eventBody": body or {"id": CONVERSATION},
        "metadata": {"CorrelationId": correlation},
    }


def test_redelivered_notification_keeps_its_identity():
    first, again = notification("a"), {**notification("b"), "version": "3"}
    assert derive_event_id(first) == derive_event_id(again)
    assert derive_event_id(first) != derive_event_id(notification("a", id=CONVERSATION, endTime="now"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "x"}, "x"),
        ({"id": "\N{GRINNING FACE}"}, "\N{GRINNING FACE}"),
        ({"id": ""}, None),
        ({"id": 7}, None),
        ({"id": None}, None),
        ({"id": "x" * 257}, None),
        ({}, None),
        (notification(), CONVERSATION),
        (notification(conversationId="c", id="i"), "c"),
        ({"topicName": f"v2.detail.events.conversation.{CONVERSATION}.acd", "eventBody": {}}, CONVERSATION),
        ({"topicName": f"v2.conversations.{CONVERSATION}", "eventBody": {"id": "other"}}, CONVERSATION),
        ({"topicName": f"v2.users.x.conversations.{CONVERSATION}.y", "eventBody": {"id": "o"}}, CONVERSATION),
        ({"topicName": 7, "eventBody": {"id": "i"}}, "i"),
        ({"topicName": f"v2.conversations.chats.{CONVERSATION}.messages", "eventBody": {"id": "m"}}, CONVERSATION),
        ({"topicName": "v2.conversations.chats.x.members", "eventBody": {"conversation": {"id": "c"}}}, "c"),
        ({"topicName": "v2.users.u-1.conversations", "eventBody": {"id": "c", "conversationId": None}}, "c"),
        ({"topicName": "v2.users.u-1.conversations.summaries", "eventBody": {"conversationId": "c"}}, "c"),
        ({"topicName": "v2.users.u-1.presence", "eventBody": {}}, "u-1"),
        ({"topicName": "v2.routing.queues.q-1.users", "eventBody": {"id": "u", "joined": True}}, "q-1"),
        ({"topicName": "v2.taskmanagement.workitems.queues.q-1", "eventBody": {"id": "w"}}, "w"),
        ({"topicName": "v2.taskmanagement.workitems.queues.q-1", "eventBody": {}}, "q-1"),
        ({"topicName": "v2.outbound.voice.campaigns.contact.preContact", "eventBody": {"outboundContactId": "o"}}, "o"),
        ({"topicName": "v2.workforcemanagement.agents", "eventBody": {}}, "v2.workforcemanagement.agents"),
        ({"topicName": "v2.x", "eventBody": None, "id": "outer"}, "outer"),
    ],
)
def test_interaction_id(body, expected):
    assert interaction_id(body) == expected


def test_key_is_the_event_id_where_no_interaction_is_named():
    event = identify({"resourceType": "interaction"})
    assert event.key == event.event_id


def test_the_id_given_by_the_source_stands():
    given_id = "0B0A9F3E-8C8C-4E4B-9A5E-1B1F7B6F0C11"
    assert event_of_bytes(b'{"id": "x"}', given_id).event_id == given_id
    assert event_of_bytes(b'{"id": "x"}', "not a uuid").event_id == derive_event_id({"id": "x"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONVERSATION, True),
        (CONVERSATION.upper(), True),
        (CONVERSATION.replace("-", ""), False),
        ("{" + CONVERSATION + "}", False),
        ("urn:uuid:" + CONVERSATION, False),
        (CONVERSATION + "\n", False),
        ("", False),
    ],
)
def test_uuid(text, expected):
    assert is_uuid(text) is expected


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({}, "an object"),
        ([], "an array"),
        ("", "a string"),
        (True, "a boolean"),
        (None, "null"),
        (1.5, "a number"),
    ],
)
def test_types_are_named_as_in_json(value, name):
    assert json_type(value) == name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [INT64_MAX, -(2**63), 1.5, True, "9" * 30, None]}, False),
        ({"a": [{"b": 2**63}]}, True),
        (-(2**63) - 1, True),
        (float("inf"), True),
        ([float("nan")], True),
    ],
)
def test_foreign_numbers(value, expected):
    assert has_foreign_number(value) is expected


def test_want_of_memory_is_no_fault_of_the_json(monkeypatch):
    def loads(value):
        raise orjson.JSONDecodeError("Not enough memory to allocate buffer for parsing", "", 0)

    monkeypatch.setattr(strict_json, "orjson", SimpleNamespace(loads=loads, JSONDecodeError=orjson.JSONDecodeError))
    with pytest.raises(MemoryError):
        parse(b"{}")


def test_the_time_of_receipt_is_added_to_notifications_that_do_not_tell_it():
    notification = {"topicName": "v2.x", "eventBody": {}}
    assert identify(notification, received_at=5).body == {**notification, "receivedAt": 5}
    assert identify({**notification, "receivedAt": 1}, received_at=5).body["receivedAt"] == 1
    assert identify({"id": "i"}, received_at=5).body == {"id": "i"}
    assert identify(notification, received_at=5).event_id == identify(notification, received_at=6).event_id


def test_the_envelope_of_an_integration_is_the_notification_in_it():
    notification = {"topicName": f"v2.detail.events.conversation.{CONVERSATION}.acw", "eventBody": {"a": 1}}
    envelope = {"id": "e", "detail-type": "v2.detail.events.conversation.{id}.acw", "detail": notification}
    assert identify(envelope) == identify(notification)
    for other in (
        {**envelope, "detail": {"topicName": "v2.x"}},
        {**envelope, "detail": None},
        {"detail": notification},
    ):
        assert identify(other).body == other
