"""This module tests what a failure record goes back as."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from processors.delivery.failure_record import encode_record, failure_record
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.headers import Origin
from processors.replay.redrive import (
    Place,
    Redrive,
    RedriveTargets,
    Unrecoverable,
    failed_key,
    failed_ms,
    place_of,
    redrive_of,
)
from processors.routes.outcome import Failed

TOPICS = RedriveTargets("genesys.raw", "genesys.validated", 1_000_000)
EVENT_ID = "5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11"
EVENT = {"id": "interaction-1", "resourceType": "interaction"}
MAPPED = {"source": "s", "detail-type": "t", "detail": {}}
META = headers.read({"event-id": EVENT_ID.encode(), "received-at": b"1700000000000", "route": b"interaction"})


def record(failed, original=b'{"id":"interaction-1"}', limit=1_000_000, topic="genesys.raw"):
    content = failure_record(
        failed,
        original,
        timestamp=datetime(2026, 11, 23, tzinfo=UTC),
        event_id=EVENT_ID,
        origin=Origin(topic, 3, 1042),
    )
    return orjson.loads(encode_record(content, limit))


INVALID = Failed("validate", "SchemaViolation", "breaks", (), "interaction", MAPPED)
THROTTLED = Failed("publish", "ThrottlingException", "slow", (), "interaction", MAPPED)
UNREADABLE = Failed.of(MalformedEventError("not JSON", code="MalformedJSON"))


@pytest.mark.parametrize("stage", ["source", "filter", "transform", "validate"])
def test_goes_back_to_raw_with_its_bytes_key_and_id(stage):
    failed = Failed(stage, "Error", "", (), "interaction")

    back = redrive_of(record(failed, orjson.dumps(EVENT)), META, b"key", "run-1", TOPICS)

    assert back == Redrive(
        "raw",
        b"key",
        orjson.dumps(EVENT),
        (("event-id", EVENT_ID.encode()), ("received-at", b"1700000000000"), ("replayed", b"run-1")),
        EVENT_ID,
    )


def test_a_failure_to_publish_goes_back_mapped_with_what_validated_carries():
    back = redrive_of(record(THROTTLED), META, b"key", "run-1", TOPICS)

    assert (back.topic, back.key, orjson.loads(back.value)) == ("validated", b"key", MAPPED)
    assert dict(back.headers) == {
        "event-id": EVENT_ID.encode(),
        "route": b"interaction",
        "received-at": b"1700000000000",
        "origin": b"genesys.raw/3/1042",
        "original": b'{"id":"interaction-1"}',
        "replayed": b"run-1",
        "straight": b"1",
    }


def test_an_original_that_does_not_fit_beside_the_mapped_event_is_left_out():
    small = RedriveTargets("genesys.raw", "genesys.validated", 4_150)

    back = redrive_of(record(THROTTLED, orjson.dumps({"id": "x" * 200})), META, b"key", "run-1", small)

    assert "original" not in dict(back.headers)
    assert dict(back.headers)["origin"] == b"genesys.raw/3/1042"


def test_bytes_that_are_no_json_go_back_as_they_were():
    assert redrive_of(record(UNREADABLE, b"\xff{"), META, b"key", "run-1", TOPICS).value == b"\xff{"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (record(INVALID, orjson.dumps({"id": "x" * 5000}), limit=1500), "was cut to fit"),
        (record(INVALID, None), "was not kept"),
        (record(Failed("source", "LineTooLong", ""), b"beginning"), "was never read whole"),
        ({**record(UNREADABLE, b"\xff{"), "originalEvent": "no base64!"}, "was not kept"),
        ({**record(THROTTLED, None), "transformedEvent": None}, "was not kept"),
    ],
)
def test_what_a_record_holds_no_more_is_to_be_looked_up(content, why):
    back = redrive_of(content, META, b"key", "run-1", TOPICS)

    assert back == Unrecoverable(f"the original event {why}", Origin("genesys.raw", 3, 1042))


def test_what_nobody_could_read_in_validated_goes_back_there():
    odd = record(Failed("publish", "MalformedEntry", ""), b"odd", topic="genesys.validated")

    back = redrive_of(odd, headers.read({}), b"key", "run-1", TOPICS)

    assert (back.topic, back.value) == ("validated", b"odd")


def test_without_headers_and_key_the_record_itself_tells_them():
    back = redrive_of(record(INVALID, orjson.dumps(EVENT)), headers.read({}), None, "run-1", TOPICS)

    assert back.key == b"interaction-1"
    assert dict(back.headers) == {"event-id": EVENT_ID.encode(), "replayed": b"run-1"}


def test_a_mapped_output_is_another_place_than_its_event():
    raw = redrive_of(record(INVALID), META, b"k", "r", TOPICS)
    mapped = redrive_of(record(THROTTLED), META, b"k", "r", TOPICS)

    assert (raw.place, mapped.place) == (Place("raw", EVENT_ID), Place("validated", EVENT_ID, "interaction"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (record(INVALID), (Place("raw", EVENT_ID), True)),
        (record(THROTTLED), (Place("validated", EVENT_ID, "interaction"), True)),
        (record(INVALID, orjson.dumps({"id": "x" * 5000}), limit=1500), (Place("raw", EVENT_ID), False)),
        (record(INVALID, None) | {"eventId": None}, (None, False)),
    ],
    ids=["raw", "validated", "cut", "neither event nor id"],
)
def test_the_place_is_known_without_the_event(content, expected):
    assert place_of(content, headers.read({}), TOPICS) == expected


@pytest.mark.parametrize(
    ("timestamp", "expected"), [("2026-11-23T00:00:00.000Z", 1_795_392_000_000), ("lately", None), (None, None)]
)
def test_the_moment_of_the_failure_is_read_from_the_record(timestamp, expected):
    assert failed_ms({"timestamp": timestamp}) == expected


def test_the_key_is_the_records_own_or_what_the_event_tells():
    assert failed_key(record(INVALID), META, b"k") == b"k"
    assert failed_key(record(INVALID), META, None) == b"interaction-1"
    assert failed_key(record(INVALID, None), META, None) == b""


def test_an_output_that_was_refused_and_is_gone_is_named_on_raw():
    cut = record(THROTTLED, orjson.dumps(EVENT)) | {"transformedEvent": None, "truncated": True}

    back = redrive_of(cut, headers.read({"event-id": EVENT_ID.encode()}), b"key", "run-1", TOPICS)

    assert (back.topic, back.route, dict(back.headers)["route"]) == ("raw", "interaction", b"interaction")


def test_routes_of_one_event_go_back_each_to_publish():
    routes = [headers.read({"event-id": EVENT_ID.encode(), "route": name}) for name in (b"a", b"b", b"a")]

    places = [redrive_of(record(THROTTLED), meta, b"k", "r", TOPICS).place for meta in routes]

    assert places[0] == places[2] != places[1]
