"""Tests of reading lines as records for `raw`."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.identity import derive_event_id, event_of_bytes
from processors.event.intake import IntakeEvent, NotAnEvent, taken_in
from processors.event.lines import OversizedLine, ParsedLine
from processors.event.redaction import MASK, redactor


def test_an_event_keeps_its_bytes_and_gets_key_and_headers():
    line = b'{ "id": "i-1" }'
    (taken,) = taken_in([line], 1_795_478_394_571, 1_000)
    assert isinstance(taken, IntakeEvent)
    assert (taken.key, taken.value) == (b"i-1", line)
    assert taken.headers == {
        "event-id": derive_event_id({"id": "i-1"}).encode(),
        "received-at": b"1795478394571",
    }


def test_a_conversation_keys_its_notifications():
    body = {"topicName": "v2.users.u.conversations", "eventBody": {"id": "c-1"}}
    (taken,) = taken_in([orjson.dumps(body)], 0, 1_000)
    assert taken.key == b"c-1"


def test_each_item_of_an_array_ends_by_itself():
    found = list(taken_in([b'[{"id": "a"}, 7]'], 0, 1_000))
    assert [type(one) for one in found] == [IntakeEvent, NotAnEvent]
    assert (found[1].value, found[1].error.code) == (b"7", "NotAnObject")


def test_an_oversized_line_names_the_limit_and_keeps_its_beginning():
    (refused,) = taken_in([OversizedLine(b"{", 5_000)], 0, 1_000)
    assert (refused.value, refused.error.code) == (b"{", "LineTooLong")
    assert "the limit is 1000 (GENESYS_MAX_LINE_BYTES" in str(refused.error)


def test_bytes_that_are_no_json_are_kept_whole():
    (refused,) = taken_in([b"\xff"], 0, 1_000)
    assert (refused.value, refused.error.code) == (b"\xff", "MalformedJSON")


SECRET = "tel:+15550100"
REDACT = redactor(["eventBody.ani", "payload.customer.*", "id"])


def everything(found):
    """All that can get to Kafka of what was taken in, as one text."""
    parts = []
    for one in found:
        parts.append(repr(one.value))
        parts.append(str(one.error) if isinstance(one, NotAnEvent) else repr((one.key, one.headers)))
    return "\n".join(parts)


def test_fields_are_masked_before_key_id_and_value_are_made():
    body = {
        "topicName": "v2.x",
        "eventBody": {"id": "c-1", "ani": SECRET},
        "payload": {"customer": {"a": SECRET}},
    }
    (taken,) = taken_in([orjson.dumps(body)], 0, 1_000, REDACT)
    assert orjson.loads(taken.value) == {
        "topicName": "v2.x",
        "eventBody": {"id": "c-1", "ani": MASK},
        "payload": {"customer": {"a": MASK}},
        "receivedAt": 0,
    }
    assert taken.key == b"c-1"
    assert taken.headers["event-id"].decode() == event_of_bytes(taken.value).event_id


def test_an_id_that_is_masked_is_in_no_key():
    (taken,) = taken_in([orjson.dumps({"id": SECRET})], 0, 1_000, REDACT)
    assert SECRET not in everything([taken])


def test_every_item_of_an_array_is_masked():
    found = list(taken_in([orjson.dumps([{"id": SECRET}, {"eventBody": {"ani": SECRET}}])], 0, 1_000, REDACT))
    assert [type(one) for one in found] == [IntakeEvent, IntakeEvent]
    assert SECRET not in everything(found)


def test_a_field_that_stands_twice_is_not_kept_in_the_bytes():
    line = b'{"eventBody":{"ani":"%s","ani":null}}' % SECRET.encode()
    (taken,) = taken_in([line], 0, 1_000, REDACT)
    assert SECRET not in everything([taken])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"eventBody":{"ani":"%s"', "MalformedJSON"),
        (b'["%s"]', "NotAnObject"),
        (b'[[{"eventBody":{"ani":"%s"}}]]', "NotAnObject"),
        (OversizedLine(b'{"eventBody":{"ani":"%s"' % SECRET.encode(), 5_000), "LineTooLong"),
    ],
    ids=["cut off", "a text", "a list in a list", "too long"],
)
def test_what_is_no_event_may_hide_a_field_and_is_withheld(line, error):
    line = line % SECRET.encode() if isinstance(line, bytes) else line
    (refused,) = taken_in([line], 0, 1_000, REDACT)
    assert (refused.value, refused.error.code) == (None, error)
    assert "withheld" in str(refused.error)
    assert SECRET not in everything([refused])


def test_the_size_of_what_is_withheld_is_told():
    (refused,) = taken_in([b"{" * 17], 0, 1_000, REDACT)
    assert "17 read" in str(refused.error)
    (refused,) = taken_in([OversizedLine(b"{", 5_000)], 0, 1_000, REDACT)
    assert "5000 bytes" in str(refused.error)


def test_an_event_that_masks_make_too_long_is_refused():
    line = orjson.dumps({"payload": {"customer": {str(number): 1 for number in range(100)}}})
    (refused,) = taken_in([line], 0, len(line), REDACT)
    assert (refused.value, refused.error.code) == (None, "LineTooLong")


@given(st.text(min_size=8, max_size=20), st.integers(0, 3), st.booleans())
def test_no_masked_text_is_left_however_it_is_wrapped(text, depth, broken):
    secret = f"<{text}>"
    body = {
        "eventBody": [{"ani": secret}],
        "payload": {"customer": {"a": [secret], "b": {"c": secret}}},
        "id": secret,
    }
    for _ in range(depth):
        body = [body]
    try:
        line = orjson.dumps(body)
    except TypeError:  # a lone surrogate: JSON cannot say it
        return
    found = list(taken_in([line[:-1] if broken else line], 0, 100_000, REDACT))
    assert orjson.dumps(secret)[1:-1].decode() not in "".join(
        (one.value or b"").decode() + (str(one.error) if isinstance(one, NotAnEvent) else one.key.decode())
        for one in found
    )


def test_an_event_that_grows_when_it_is_written_alone_is_too_long():
    line = b'[{"id":"a","x":[' + b",".join([b"1e15"] * 150) + b"]}]"
    (refused,) = taken_in([line], 0, 1_000)
    assert isinstance(refused, NotAnEvent)
    assert refused.error.code == "LineTooLong"
    (taken,) = taken_in([line], 0, 10_000)
    assert isinstance(taken, IntakeEvent)


NOTIFICATION = {"topicName": "v2.users.u1.presence", "eventBody": {"source": "PURECLOUD"}}


def test_a_notification_says_when_it_was_received_and_keeps_its_bytes():
    line = b'{"eventBody": {"a": 1.50},  "topicName":"v2.x"}  '
    (taken,) = taken_in([line], 1_795_428_600_000, 1_000)
    assert taken.value == b'{"eventBody": {"a": 1.50},  "topicName":"v2.x","receivedAt":1795428600000}'
    assert taken.event_id == derive_event_id(orjson.loads(line))


def test_the_first_receipt_stands():
    first = next(iter(taken_in([orjson.dumps(NOTIFICATION)], 1, 1_000)))
    again = next(iter(taken_in([first.value], 2, 1_000)))
    assert (again.value, again.event_id, again.key) == (first.value, first.event_id, first.key)


def test_the_envelope_of_an_integration_is_taken_off_before_fields_are_masked():
    notification = {"topicName": "v2.x", "eventBody": {"ani": SECRET}}
    envelope = {"detail-type": "v2.x", "source": "aws.partner/genesys.com/cloud/o/s", "detail": notification}
    (taken,) = taken_in([orjson.dumps(envelope)], 5, 1_000, REDACT)
    assert orjson.loads(taken.value) == {"topicName": "v2.x", "eventBody": {"ani": MASK}, "receivedAt": 5}
    (plain,) = taken_in([orjson.dumps(notification)], 5, 1_000, REDACT)
    assert plain.event_id == taken.event_id


@pytest.mark.parametrize("redact", [None, REDACT], ids=["as it is", "masked"])
@pytest.mark.parametrize(
    "event",
    [
        NOTIFICATION,
        {
            "topicName": "v2.x",
            "eventBody": {"ani": SECRET},
            "receivedAt": 3,
            "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
        },
        {"id": "i-1", "payload": {"customer": {"name": SECRET}}},
        {"detail-type": "v2.x", "detail": {"topicName": "v2.x", "eventBody": {"ani": SECRET, "conversationId": "c"}}},
        {"topicName": "v2.x", "eventBody": {"long": "x" * 1_000}},
    ],
    ids=["notification", "with all", "stream event", "wrapped", "too long"],
)
def test_a_line_that_was_read_makes_the_same_record_as_its_bytes(event, redact):
    value = orjson.dumps(event)
    read = ParsedLine(value, event, derive_event_id(event))
    (mine,), (theirs,) = (list(taken_in([line], 5, 500, redact, "0" * 14)) for line in (read, value))
    assert (type(mine), mine.value) == (type(theirs), theirs.value)
    if isinstance(mine, IntakeEvent):
        assert mine == theirs
    else:
        assert mine.error.code == theirs.error.code == "LineTooLong"


def test_the_id_of_a_line_that_was_read_is_not_made_again():
    line = ParsedLine(orjson.dumps(NOTIFICATION), NOTIFICATION, "11111111-2222-5333-8444-555555555555")
    (taken,) = taken_in([line], 5, 1_000)
    assert taken.event_id == taken.headers["event-id"].decode() == line.event_id


def test_a_stream_event_goes_on_as_it_came():
    line = b'{"id":"i-1","detail":{},"detail-type":"x"}'
    (taken,) = taken_in([line], 5, 1_000)
    assert taken.value == line
