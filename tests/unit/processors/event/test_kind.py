"""This module tests how events are named in lists."""

import pytest

from processors.event.kind import kind_of


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
            "v2.conversations.{id}.transcription",
        ),
        ({"resourceType": 5}, "event"),
        ("text", "not an event"),
    ],
)
def test_an_event_is_named_in_a_few_words(event, kind):
    assert kind_of(event) == kind
