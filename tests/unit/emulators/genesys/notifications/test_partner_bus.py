"""This module tests Genesys' own EventBridge integration: detail events in EventBridge's envelope, in the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from emulators.aws import AWSEmulator
from emulators.genesys import Faults, GenesysEmulator

EVENTS = 60

#: Events of one moment, more than which never go beyond a count.
ALIKE = 12


async def test_detail_events_come_into_the_queue_in_the_envelope(eventually: Callable[..., Any]) -> None:
    async with AWSEmulator(queues=["events"]) as aws:
        queue = aws.state.queues["events"]
        options: dict[str, Any] = {"conversation_rate": 40.0, "pace": 0.1, "count": EVENTS}
        url = aws.state.queues.url(queue)
        async with GenesysEmulator(event_queue=url, faults=Faults(duplicate_share=0.2), **options) as genesys:
            await eventually(lambda: genesys.notifications.as_json()["ended"])
            found = [orjson.loads(message["body"]) for message in queue.contents()]
            truth = genesys.notifications.conversations_as_json()
    notifications = {orjson.dumps([one["detail"]["topicName"], one["detail"]["eventBody"]]) for one in found}
    assert EVENTS <= len(notifications) < EVENTS + ALIKE, "those of the last moment are all sent"
    assert len(notifications) < len(found), "some came twice"
    for one in found:
        conversation = one["detail"]["eventBody"]["conversationId"]
        assert one["detail-type"] == one["detail"]["topicName"].replace(conversation, "{id}")
        assert one["source"].startswith("aws.partner/genesys.com/cloud/")
        assert one["detail"].keys() == {"topicName", "version", "eventBody", "metadata", "timestamp"}
    assert {one["detail"]["eventBody"]["conversationId"] for one in found} == set(truth["sent"])


async def test_a_queue_that_does_not_answer_is_waited_for(eventually: Callable[..., Any]) -> None:
    async with AWSEmulator(queues=["events"]) as aws:
        queue = aws.state.queues["events"]
        rule = {"kind": "unavailable", "service": "sqs", "share": 1.0}
        aws.faults = type(aws.faults).model_validate({"requests": [rule]})
        url = aws.state.queues.url(queue)
        async with GenesysEmulator(event_queue=url, conversation_rate=40.0, pace=0.1, count=20) as genesys:
            await eventually(lambda: genesys.notifications.feed.ended)
            assert genesys.notifications.as_json()["ended"] is False
            assert queue.contents() == []
            aws.faults = type(aws.faults)()
            await eventually(lambda: genesys.notifications.as_json()["ended"])
            assert 20 <= len(queue.contents()) < 20 + ALIKE
