"""Tests of PutEvents entries: AWS's size formula, the shapes refused, and the laws of cutting."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.delivery.entries import MAX_ENTRIES, TIME_BYTES, cut, entry

MAPPED = {
    "source": "genesys.cloud",
    "detail-type": "interaction.event",
    "detail": {"a": 1},
    "time": "2026-11-23T10:00:00Z",
    "resources": ["/x"],
    "id": "i",
}


def test_every_field_of_the_entry_is_set():
    assert entry(MAPPED, "bus").fields == {
        "Source": "genesys.cloud",
        "DetailType": "interaction.event",
        "Detail": '{"a":1}',
        "Resources": ["/x"],
        "EventBusName": "bus",
        "Time": datetime(2026, 11, 23, 10, tzinfo=UTC),
    }


def test_time_and_resources_may_be_missing():
    made = entry({"source": "s", "detail-type": "d", "detail": {}}, "bus")
    assert "Time" not in made.fields
    assert made.fields["Resources"] == []
    assert made.size == len("s") + len("d") + len("{}")


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
    st.lists(st.text(max_size=9), max_size=3),
)
def test_size_counts_bytes_as_aws_does(source, detail_type, text, resources):
    # EventBridge user guide, eb-putevent-size: 14 for a time, UTF-8 bytes of all else but bus and trace.
    made = entry(
        {
            **MAPPED,
            "source": source,
            "detail-type": detail_type,
            "detail": {"t": text},
            "resources": resources,
        },
        "b",
    )
    texts = [
        source,
        detail_type,
        json.dumps({"t": text}, ensure_ascii=False, separators=(",", ":")),
        *resources,
    ]
    if text.isprintable():  # of control characters there are several spellings
        assert made.size == 14 + sum(len(one.encode()) for one in texts)
    assert made.size == TIME_BYTES + sum(
        len(one.encode()) for one in [source, detail_type, made.fields["Detail"], *made.fields["Resources"]]
    )


def test_a_character_counts_its_bytes():
    assert (
        entry({**MAPPED, "detail": {"a": "\N{GRINNING FACE}"}}, "b").size
        - entry({**MAPPED, "detail": {"a": ""}}, "b").size
        == 4
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"source": 7},
        {"source": None},
        {"detail-type": []},
        {"detail": []},
        {"detail": "text"},
        {"detail": None},
        {"resources": "abc"},
        {"resources": [7]},
        {"resources": {"a": 1}},
        {"time": 5},
        {"time": "yesterday"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"detail": {"a": 2**70}},
    ],
)
def test_another_shape_is_refused(changes):
    with pytest.raises((KeyError, TypeError, ValueError)):
        entry({**MAPPED, **changes}, "bus")


@pytest.mark.parametrize("name", ["source", "detail-type", "detail"])
def test_what_an_entry_needs_may_not_be_missing(name):
    with pytest.raises(KeyError):
        entry({key: value for key, value in MAPPED.items() if key != name}, "bus")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1] * 23, [10, 10, 3]),
        ([5, 5, 1], [2, 1]),
        ([5, 11, 5], [1, 1, 1]),
        ([11, 11], [1, 1]),
        ([10], [1]),
        ([0] * 11, [10, 1]),
    ],
    ids=[
        "nothing",
        "by count",
        "by bytes",
        "an oversized entry travels alone",
        "two of them",
        "just fits",
        "empty ones",
    ],
)
def test_requests(sizes, expected):
    assert [len(request) for request in cut(sizes, 10)] == expected


@given(st.lists(st.integers(0, 30)), st.integers(1, 25), st.integers(1, MAX_ENTRIES))
def test_laws_of_cutting(sizes, max_bytes, max_entries):
    requests = list(cut(sizes, max_bytes, max_entries))
    assert [index for request in requests for index in request] == list(range(len(sizes)))
    for request in requests:
        total = sum(sizes[index] for index in request)
        assert 0 < len(request) <= max_entries
        assert total <= max_bytes or len(request) == 1
    for request, following in pairwise(requests):  # each is as full as may be
        fits = sum(sizes[index] for index in request) + sizes[following.start] <= max_bytes
        assert len(request) == max_entries or not fits
