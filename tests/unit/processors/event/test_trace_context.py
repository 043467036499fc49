"""Tests of trace contexts: what is taken, what is begun, and how X-Ray is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.trace_context import (
    begun,
    event_of,
    is_begun_here,
    is_sampled,
    is_sound,
    least_sampled,
    taken,
    trace_header,
)

EVENT = "5f0c4a0e-7a3c-5d0e-9b62-3f6d0a8f1c55"
OTHERS = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("event", [{"traceparent": OTHERS.decode()}, {"metadata": {"traceparent": OTHERS.decode()}}])
def test_an_event_says_its_trace_itself_or_in_its_metadata(event):
    assert taken(event) == OTHERS


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        OTHERS.decode().upper(),
        OTHERS.decode()[:-1],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\N{LATIN SMALL LETTER E WITH ACUTE}-00f067aa0ba902b7-01",
    ],
)
def test_what_is_no_traceparent_is_not_taken(text):
    assert taken({"traceparent": text}) is None
    assert taken({"metadata": text}) is None


def test_a_trace_that_is_begun_has_the_event_s_id_and_is_the_same_each_time():
    assert begun(EVENT, least_sampled(1)) == b"00-5f0c4a0e7a3c5d0e9b623f6d0a8f1c55-9b623f6d0a8f1c55-01"
    assert begun(EVENT.upper(), least_sampled(1)) == begun(EVENT, least_sampled(1))


@pytest.mark.parametrize("event_id", [None, "", "x", "00000000-0000-0000-0000-000000000000"])
def test_an_id_that_makes_no_trace_begins_none(event_id):
    assert begun(event_id, least_sampled(1)) is None


@given(st.uuids(version=5))
def test_a_share_of_one_samples_all_and_of_nothing_none(event_id):
    for share, sampled in ((1.0, True), (0.0, False)):
        made = begun(str(event_id), least_sampled(share))
        assert (is_sound(made), is_begun_here(made), is_sampled(made)) == (True, True, sampled)


def test_a_share_is_one_of_the_ids():
    ids = [f"5f0c4a0e-7a3c-5d0e-9b{number:02x}-3f6d0a8f1c55" for number in range(256)]
    assert sum(is_sampled(begun(one, least_sampled(0.25))) for one in ids) == 64


def test_x_ray_is_told_trace_span_and_that_it_is_sampled():
    told = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7"
    assert trace_header(OTHERS) == f"{told};Sampled=1"
    assert trace_header(OTHERS[:-2] + b"00") == told  # who gets the event decides


@pytest.mark.parametrize("value", [None, b"", b"x" * 55, OTHERS[:-1] + b"\xff"])
def test_what_is_no_traceparent_has_no_header_and_no_span(value):
    assert trace_header(value) is None
    assert not is_sampled(value or None)


def test_a_trace_leads_back_to_its_event():
    assert event_of(EVENT.replace("-", "")) == EVENT
    assert event_of("1-5f0c4a0e-7a3c5d0e9b623f6d0a8f1c55") == EVENT
    assert [event_of(text) for text in ("", EVENT, "x" * 32, "1-5f0c4a0e")] == [None] * 4
