"""What the worker and its mapping process say to each other arrives as it was said."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.errors import Violation
from processors.routes.outcome import Failed
from processors.routes.route import Example, RouteTexts
from processors.routes.routes import Encoded, Raw, Routed
from streams.routes.sandbox import protocol

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.none() | TEXT
JSON = st.dictionaries(TEXT, st.integers(-100, 100) | TEXT | st.lists(TEXT, max_size=2), max_size=3)
RAW = st.builds(
    Raw,
    st.none() | st.binary(max_size=50),
    NAME,
    st.lists(TEXT, max_size=2).map(tuple),
    received_at=st.none() | st.integers(-(2**63), 2**63 - 1),  # as Kafka has a time
)
FAILED = st.builds(
    Failed,
    st.sampled_from(["source", "filter", "transform", "validate"]),
    TEXT,
    TEXT,
    st.lists(st.builds(Violation, TEXT, TEXT, TEXT), max_size=3).map(tuple),
    NAME,
    st.none() | JSON,
)
ANSWER = st.builds(Routed, NAME, NAME, st.lists(st.builds(Encoded, TEXT, st.binary()) | FAILED, max_size=3).map(tuple))


@given(st.lists(RAW, max_size=5), st.booleans())
def test_events_are_read_as_they_were_written(raws: list[Raw], careful: bool):
    assert protocol.read_events(protocol.events(raws, careful=careful)) == (raws, careful)


@given(st.lists(ANSWER, max_size=5))
def test_answers_are_read_as_they_were_written(answers: list[Routed]):
    assert protocol.read_answers(protocol.answers(answers)) == answers


def test_a_route_is_read_as_it_was_written():
    texts = RouteTexts(
        "a", "b", "c", None, "d", "e", "f", "g", {"type": "object"}, (Example("h", {"i": 1}, "filtered"),)
    )
    assert protocol.read_texts(orjson.loads(orjson.dumps(texts))) == texts


def test_a_frame_tells_its_length_and_kind():
    data = protocol.frame(protocol.ANSWERS, b"body")
    assert protocol.prefix(data[: protocol.PREFIX.size]) == (4, protocol.ANSWERS)


def test_a_length_that_no_frame_has_is_refused():
    with pytest.raises(ValueError, match="frame of"):
        protocol.prefix(protocol.PREFIX.pack(protocol.MAX_BYTES + 1, protocol.ANSWERS))


def test_a_body_that_is_cut_is_refused():
    body = protocol.answers([Routed("k", "i", (Encoded("a", b"0123456789"),))])
    with pytest.raises(ValueError, match="ends before"):
        protocol.read_answers(body[:-1])
