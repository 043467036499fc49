"""Tests of the failures stage: every record goes to the queue as text, under lasting identifiers."""

import orjson
import pytest

from agents import failures as module
from streams.app import app


class FakeQueue:
    def __init__(self):
        self.refusals = None
        self.sent = []

    async def send(self, messages):
        self.sent.extend(messages)
        return self.refusals or [None] * len(messages)


@pytest.fixture
def queue(monkeypatch):
    made = FakeQueue()
    monkeypatch.setattr(module, "_queue", made)
    settings = app.settings.model_copy(update={"dlq_queue_url": "https://sqs/1/q"})
    monkeypatch.setattr(module, "settings", settings)
    return made


def record(**changes):
    return orjson.dumps(
        {"originalEvent": {}, "error": "E", "stage": "validate", "route": "r", "eventId": "e", **changes}
    )


async def test_a_record_goes_as_it_stands(queue, event):
    value = record()
    await module.failures([event(value, {"event-id": b"e"}, key=b"i-1")])
    (message,) = queue.sent
    assert (message.body.encode(), message.group, message.deduplication) == (value, "i-1", "e:validate:r:")


@pytest.mark.parametrize("value", [None, b"", b"not json", b"\xff\xfe", b"[]", b'{"a":1e999}'])
async def test_what_is_no_record_goes_as_one_that_says_so(queue, event, value):
    await module.failures([event(value, {}, key=None, partition=2, offset=7)])
    (message,) = queue.sent
    assert orjson.loads(message.body)["stage"] == "source"
    assert message.group == "2-7"
    assert message.deduplication.startswith("2-7:")


async def test_identifiers_are_the_same_when_a_record_comes_again(queue, event):
    for _ in range(2):
        await module.failures([event(record(eventId=None), {}, partition=1, offset=5)])
    assert queue.sent[0] == queue.sent[1]


async def test_stages_and_routes_of_one_event_are_messages_of_their_own(queue, event):
    changes = ({}, {"stage": "publish"}, {"route": "other"}, {"route": None}, {"eventId": "f"})
    await module.failures([event(record(**change)) for change in changes])
    assert len({message.deduplication for message in queue.sent}) == len(changes)


async def test_what_fails_again_after_a_redrive_is_a_message_of_its_own(queue, event):
    headers = ({}, {"replayed": b"redrive-1"}, {"replayed": b"redrive-2"}, {"replayed": b"redrive-2"})
    await module.failures([event(record(), each) for each in headers])
    assert len({message.deduplication for message in queue.sent}) == 3


async def test_a_time_that_is_none_stops_nothing(queue, event):
    await module.failures([event(b"not json", {}, timestamp=1.7e12)])
    assert orjson.loads(queue.sent[0].body)["timestamp"].startswith("20")


async def test_what_the_queue_refuses_for_ever_stays_on_the_topic_and_stops_nothing(queue, event):
    queue.refusals = ["InvalidMessageContents", None]
    await module.failures([event(record()), event(record())])
    assert len(queue.sent) == 2


async def test_without_a_queue_nothing_is_mirrored(monkeypatch, event):
    async def never(url):
        raise AssertionError("a queue was opened")

    monkeypatch.setattr(module, "_open_queue", never)
    assert app.settings.dlq_queue_url is None
    await module.failures([event(record())])
