"""Tests of a record's headers: each is read when it is of its kind, and missing otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.headers import Meta, Origin, read, write

TRACEPARENT = b"00-5f0c4a0e7a3c5d0e9b623f6d0a8f1c55-9b623f6d0a8f1c55-01"
NOTHING = Meta(None, None, None, None, None, None)


def test_all_headers_are_read():
    headers = {
        "event-id": b"e",
        "route": "fr\N{LATIN SMALL LETTER E WITH ACUTE}".encode(),
        "received-at": b"1763895600000",
        "origin": b"genesys.raw/3/1042",
        "original": b"\xff{}",
        "replayed": b"run-7",
        "traceparent": TRACEPARENT,
        "other": b"x",
    }
    assert read(headers) == Meta(
        "e",
        "fr\N{LATIN SMALL LETTER E WITH ACUTE}",
        1763895600000,
        Origin("genesys.raw", 3, 1042),
        b"\xff{}",
        "run-7",
        traceparent=TRACEPARENT,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"event-id": None, "route": b"", "received-at": None, "origin": b""},
        {"event-id": b"\xff", "route": b"x" * 1_025},
        {"received-at": b"-5"},
        {"received-at": b"1e3"},
        {"received-at": b" 5"},
        {"received-at": "\N{SUPERSCRIPT TWO}".encode()},
        {"received-at": b"9" * 16},
        {"received-at": b"9" * 1_000},
        {"traceparent": b"00-5f0c4a0e7a3c5d0e9b623f6d0a8f1c55-9b623f6d0a8f1c55-0"},
        {"traceparent": b"x" * 100_000},
        {"origin": b"genesys.raw"},
        {"origin": b"genesys.raw/3"},
        {"origin": b"/3/1042"},
        {"origin": b"genesys.raw/-3/1042"},
        {"origin": b"genesys.raw/3/"},
        {"origin": b"genesys.raw/3/" + b"9" * 30},
        {"origin": b"genesys.raw/" + b"9" * 30 + b"/3"},
    ],
)
def test_what_is_not_of_its_kind_is_missing(headers):
    assert read(headers) == NOTHING


@given(st.from_regex(r"[a-z./]{1,20}", fullmatch=True), st.integers(0, 999_999_999), st.integers(0, 10**18 - 1))
def test_origin_is_read_as_it_is_written(topic, partition, offset):
    origin = Origin(topic, partition, offset)
    assert Origin.parse(str(origin)) == origin


names = st.sampled_from(["event-id", "route", "received-at", "origin", "original", "replayed"])


@given(st.dictionaries(names, st.none() | st.binary(max_size=60)))
def test_any_bytes_are_read_or_missing(headers):
    assert read(headers).original == headers.get("original")


text = st.text(min_size=1, max_size=40).filter(lambda value: value.encode("utf-8", "replace").decode() == value)
metas = st.builds(
    Meta,
    event_id=st.none() | text,
    route=st.none() | text,
    received_at=st.none() | st.integers(0, 10**15 - 1),
    origin=st.none() | st.builds(Origin, st.just("genesys.raw"), st.integers(0, 99), st.integers(0, 10**18 - 1)),
    original=st.none() | st.binary(max_size=60),
    replayed=st.none() | text,
    event_bus=st.none() | text,
    straight=st.booleans(),
    traceparent=st.none() | st.just(TRACEPARENT),
)


@given(metas)
def test_what_is_written_is_read_again(meta):
    assert read(write(meta)) == meta


def test_what_is_missing_has_no_header():
    assert write(Meta()) == {}
    assert write(Meta(route="\ud800")) == {"route": b"?"}
