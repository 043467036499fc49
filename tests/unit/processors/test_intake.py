"""Tests of reading lines as records for `raw`."""

import orjson

from processors.event import derive_event_id
from processors.intake import Refused, Taken, taken_in
from processors.lines import OversizedLine


def test_an_event_keeps_its_bytes_and_gets_key_and_headers():
    line = b'{ "id": "i-1" }'
    (taken,) = taken_in([line], 1_795_478_394_571, 1_000)
    assert isinstance(taken, Taken)
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
    assert [type(one) for one in found] == [Taken, Refused]
    assert (found[1].value, found[1].error.code) == (b"7", "NotAnObject")


def test_an_oversized_line_names_the_limit_and_keeps_its_beginning():
    (refused,) = taken_in([OversizedLine(b"{", 5_000)], 0, 1_000)
    assert (refused.value, refused.error.code) == (b"{", "LineTooLong")
    assert "GENESYS_MAX_LINE_BYTES=1000" in str(refused.error)


def test_bytes_that_are_no_json_are_kept_whole():
    (refused,) = taken_in([b"\xff"], 0, 1_000)
    assert (refused.value, refused.error.code) == (b"\xff", "MalformedJSON")
