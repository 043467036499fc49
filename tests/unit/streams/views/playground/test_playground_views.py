"""This module tests what the views of the playground make of rows and events."""

import pytest

from streams.views.playground.raw import kind_of
from streams.views.playground.routes import read_ends


def test_ends_are_summed_by_route():
    rows = [
        {"from": 0, "to": 60, "calls/mapped": 2, "calls/published": 1, "a/b/failed": 1},
        {"from": 60, "to": 120, "calls/mapped": 3},
    ]
    assert read_ends(rows) == {"calls": {"mapped": 5, "published": 1}, "a/b": {"failed": 1}}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"resourceType": "interaction", "eventType": "created", "id": "x"}, "interaction created"),
        (
            {"topicName": "v2.routing.queues.q-1.conversations.calls", "eventBody": {"id": "c-1"}},
            "v2.routing.queues.q-1.conversations.calls",
        ),
        (
            {"topicName": "v2.conversations.5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11.transcription", "eventBody": {}},
            "v2.conversations.….transcription",
        ),
        ({"resourceType": 5}, "event"),
        ("text", "not an event"),
    ],
)
def test_an_event_is_named_in_a_few_words(event, kind):
    assert kind_of(event) == kind
