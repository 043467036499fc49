"""Tests of the failures stage: every record goes to the queue as text, under lasting identifiers."""

import orjson
import pytest

from agents.failures import FailureMirror, failures
from clients.aws.sqs_sender import MAX_BYTES
from streams.app import app


class FakeQueue:
    def __init__(self):
        self.refusals = None
        self.max_bytes = MAX_BYTES
        self.sent = []

    async def describe(self):
        return {}

    async def send(self, messages):
        self.sent.extend(messages)
        return self.refusals or [None] * len(messages)


@pytest.fixture
def queue():
    return FakeQueue()


@pytest.fixture
def mirror(queue, counts):
    async def open_queue():
        return queue

    return FailureMirror(open_queue, 1_000_000, counts)


def record(**changes):
    return orjson.dumps(
        {"originalEvent": {}, "error": "E", "stage": "validate", "route": "r", "eventId": "e", **changes}
    )


async def test_a_record_goes_as_it_stands(queue, mirror, event):
    value = record()
    await mirror.copy([event(value, {"event-id": b"e"}, key=b"i-1")])
    (message,) = queue.sent
    assert (message.body.encode(), message.group, message.deduplication) == (value, "i-1", "e:validate:r:")


@pytest.mark.parametrize("value", [None, b"", b"not json", b"\xff\xfe", b"[]", b'{"a":1e999}'])
async def test_what_is_no_record_goes_as_one_that_says_so(queue, mirror, event, value):
    await mirror.copy([event(value, {}, key=None, partition=2, offset=7)])
    (message,) = queue.sent
    assert orjson.loads(message.body)["stage"] == "source"
    assert message.group == "2-7"
    assert message.deduplication.startswith("2-7:")


async def test_identifiers_are_the_same_when_a_record_comes_again(queue, mirror, event):
    for _ in range(2):
        await mirror.copy([event(record(eventId=None), {}, partition=1, offset=5)])
    assert queue.sent[0] == queue.sent[1]


async def test_stages_and_routes_of_one_event_are_messages_of_their_own(queue, mirror, event):
    changes = ({}, {"stage": "publish"}, {"route": "other"}, {"route": None}, {"eventId": "f"})
    await mirror.copy([event(record(**change)) for change in changes])
    assert len({message.deduplication for message in queue.sent}) == len(changes)


async def test_what_fails_again_after_a_redrive_is_a_message_of_its_own(queue, mirror, event):
    headers = ({}, {"replayed": b"redrive-1"}, {"replayed": b"redrive-2"}, {"replayed": b"redrive-2"})
    await mirror.copy([event(record(), each) for each in headers])
    assert len({message.deduplication for message in queue.sent}) == 3


async def test_a_time_that_is_none_stops_nothing(queue, mirror, event):
    await mirror.copy([event(b"not json", {}, timestamp=1.7e15)])
    assert orjson.loads(queue.sent[0].body)["timestamp"].startswith("20")


async def test_what_the_queue_refuses_for_ever_stays_on_the_topic_and_stops_nothing(queue, mirror, event):
    queue.refusals = ["InvalidMessageContents", None]
    await mirror.copy([event(record()), event(record())])
    assert len(queue.sent) == 2


async def test_without_a_queue_nothing_is_mirrored(event):
    assert app.settings.dlq_queue_url is None
    assert await app.dead_letters.open() is None
    await failures([event(record())])


async def test_attributes_to_filter_by_without_opening_the_body(queue, mirror, event):
    await mirror.copy([event(record(error="Bad\x07 news"), {}), event(record(route=None, error=""), {})])
    assert [message.attributes for message in queue.sent] == [
        {"stage": "validate", "error": "Bad news", "route": "r", "eventId": "e"},
        {"stage": "validate", "eventId": "e"},
    ]


@pytest.mark.parametrize("limit", [1_024, 2_048, 8_192, 100_000])
async def test_a_record_that_the_queue_has_no_room_for_goes_in_short_form(queue, mirror, event, limit):
    queue.max_bytes = limit
    long = record(originalEvent={"a": "x" * 200_000}, message="m" * 3_000, details=[{"path": "p", "rule": "r"}] * 500)
    await mirror.copy([event(long, {}, topic="genesys.failures", partition=3, offset=9)])
    (message,) = queue.sent
    assert message.size <= limit
    short = orjson.loads(message.body)
    assert short["record"] == {"topic": "genesys.failures", "partition": 3, "offset": 9}
    assert (short["error"], short["stage"], short["route"], short["eventId"]) == ("E", "validate", "r", "e")
    assert short["truncated"]


async def test_a_queue_that_was_given_a_lower_limit_gets_the_short_form(queue, mirror, event):
    async def describe():
        queue.max_bytes = 2_048

    queue.describe = describe
    queue.refusals = ["InvalidParameterValue"]
    send = queue.send

    async def once(messages):
        refusals = await send(messages)
        queue.refusals = None
        return refusals

    queue.send = once
    await mirror.copy([event(record(originalEvent="x" * 10_000), {})])
    first, second = queue.sent
    assert first.size > 2_048 >= second.size


async def test_what_stays_in_kafka_alone_is_counted(queue, mirror, event, counts):
    queue.refusals = ["InvalidMessageContents", None]
    await mirror.copy([event(record()), event(record())])
    assert counts.drain()["counts"] == {"not_mirrored": 1}
