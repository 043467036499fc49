"""Tests of the queue as a source: deleted when settled and not before, kept while held, outages waited out."""

import asyncio
from contextlib import aclosing
from types import SimpleNamespace

import aioboto3
import pytest
from botocore.config import Config

from clients.aws import sqs_source
from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage, region_of
from clients.aws.sqs_source import SqsSource, line_of
from emulators.aws import AWSEmulator
from emulators.aws.faults import Faults
from processors.event.lines import OversizedLine

SESSION = aioboto3.Session(aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")


class Desk:
    """An emulator with a queue of events, its client, and a source on it; `taken` are bodies as they come."""

    def __init__(self, aws, client, url):
        self.aws, self.client, self.url = aws, client, url
        self.taken, self.troubles = [], []

    def source(self, **options):
        queue = QueueReceiver(self.client, self.url, visibility_s=options.pop("visibility_s", 60), wait_s=1)
        return SqsSource(queue, on_trouble=self.troubles.append, **options)

    async def put(self, *bodies):
        for start in range(0, len(bodies), 10):
            batch = bodies[start : start + 10]
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
            await self.client.send_message_batch(QueueUrl=self.url, Entries=entries)

    def left(self):
        return self.aws.state.queues["events"].contents()

    def receives(self):
        """How often the one message was received."""
        return int(self.left()[0]["system"]["ApproximateReceiveCount"])

    async def read(self, source, settle=True):
        async with aclosing(source.batches()) as batches:
            async for batch in batches:
                self.taken += [message.body for message in batch]
                if settle:
                    source.settled(batch)


@pytest.fixture
async def desk():
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=5)
    async with (
        AWSEmulator(queues=["events"]) as aws,
        SESSION.client("sqs", endpoint_url=aws.url, config=config) as client,
    ):
        url = (await client.get_queue_url(QueueName="events"))["QueueUrl"]
        yield Desk(aws, client, url)


async def until(condition, seconds=60.0):
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition never came true")


async def stop(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_message_comes_once_and_is_deleted_when_settled(desk):
    bodies = [f"event {number}" for number in range(57)]
    await desk.put(*bodies)
    reading = asyncio.create_task(desk.read(desk.source()))
    await until(lambda: not desk.left())
    await desk.put("one more")
    await until(lambda: len(desk.taken) == 58 and not desk.left())
    assert sorted(desk.taken) == sorted([*bodies, "one more"])
    await stop(reading)


async def test_nothing_is_deleted_before_it_is_settled(desk):
    await desk.put("a", "b")
    source = desk.source()
    reading = asyncio.create_task(desk.read(source, settle=False))
    await until(lambda: len(desk.taken) == 2)
    await asyncio.sleep(0.2)
    assert len(desk.left()) == 2
    await stop(reading)
    assert len(desk.left()) == 2


async def test_what_is_held_for_long_is_kept_and_comes_once(desk):
    """Kafka is away for longer than the time for which a message is ours."""
    await desk.put("a")
    source = desk.source(visibility_s=4)
    reading = asyncio.create_task(desk.read(source, settle=False))
    await until(lambda: desk.taken)
    await asyncio.sleep(5)
    assert desk.taken == ["a"]
    assert desk.receives() == 1
    await stop(reading)


@pytest.mark.parametrize(("limit", "value"), [("max_held", 20), ("max_held_size", 30)])
async def test_no_more_is_received_than_can_be_held(desk, limit, value):
    await desk.put(*map(str, range(100)))
    source = desk.source()
    setattr(source, limit, value)
    batches = source.batches()
    first = await anext(batches)
    await asyncio.sleep(0.5)
    assert len(source._held) <= 20 + 10 * sqs_source.RECEIVES
    source.settled(first)
    seen = len(first)
    while seen < 100:
        batch = await anext(batches)
        source.settled(batch)
        seen += len(batch)
    await batches.aclose()
    assert not desk.left()


@pytest.mark.parametrize("kind", ["unavailable", "throttle", "drop", "expired"])
async def test_an_outage_is_waited_out_with_its_reason(desk, kind):
    desk.aws.faults = Faults.model_validate({"requests": [{"kind": kind, "service": "sqs", "share": 1.0}]})
    reading = asyncio.create_task(desk.read(desk.source(sleep=lambda _: asyncio.sleep(0.02))))
    await until(lambda: len(desk.troubles) >= 3)
    assert all(one.startswith("the queue of GENESYS_SOURCE cannot be read: ") for one in desk.troubles)
    desk.aws.faults = Faults()
    await desk.put("after")
    await until(lambda: desk.taken == ["after"] and not desk.left())
    await until(lambda: desk.troubles[-1] is None)
    await stop(reading)


async def test_deletions_are_asked_for_again_after_an_outage(desk):
    await desk.put("a")
    source = desk.source(sleep=lambda _: asyncio.sleep(0.02))
    batches = source.batches()
    (message,) = await anext(batches)
    desk.aws.faults = Faults.model_validate({"requests": [{"kind": "unavailable", "service": "sqs", "share": 1.0}]})
    source.settled([message])
    await until(lambda: any("deletes nothing" in (one or "") for one in desk.troubles))
    desk.aws.faults = Faults()
    await until(lambda: not desk.left())
    await batches.aclose()


async def refusing(desk, operation, times):
    """A client of which SQS refuses the first entry of the first batches, inside a success."""
    real, refused = getattr(desk.client, operation), []

    async def call(*, QueueUrl, Entries):  # noqa: N803
        if len(refused) >= times:
            return await real(QueueUrl=QueueUrl, Entries=Entries)
        first, *others = Entries
        refused.append(first["Id"])
        answer = await real(QueueUrl=QueueUrl, Entries=others) if others else {"Successful": []}
        failed = {"Id": first["Id"], "Code": "InternalError", "SenderFault": False}
        return {"Successful": answer.get("Successful", []), "Failed": [failed]}

    desk.client = SimpleNamespace(receive_message=desk.client.receive_message, **{
        name: getattr(desk.client, name) for name in ("delete_message_batch", "change_message_visibility_batch")
    } | {operation: call})  # fmt: skip
    return refused


@pytest.mark.parametrize(("times", "left"), [(1, 0), (2, 0), (3, 1)])
async def test_a_deletion_that_was_refused_once_ends_with_the_next_that_is_not(desk, times, left):
    await desk.put("a")
    refused = await refusing(desk, "delete_message_batch", times)
    source = desk.source(sleep=lambda _: asyncio.sleep(0))
    batches = source.batches()
    source.settled(await anext(batches))
    await asyncio.wait_for(source._settled.join(), 30)
    assert (len(refused), len(desk.left()), source._held) == (times, left, {})
    await batches.aclose()


async def test_what_sqs_refuses_to_keep_is_not_believed_to_be_kept(desk):
    await desk.put("a", "b")
    await refusing(desk, "change_message_visibility_batch", 1)
    source = desk.source()
    held = [ReceivedMessage("first", "a", "-", 0, None), *(await source._queue.receive())]
    assert await source._queue.hold(held) == {one.id for one in held[1:]}


async def test_an_end_deletes_what_is_settled_and_releases_what_was_not_looked_at(desk):
    await desk.put("a", "b", "c")
    source = desk.source()
    source.max_batch = 1
    batches = source.batches()
    (message,) = await anext(batches)
    await until(lambda: len(source._held) == 3)
    source.settled([message])
    await batches.aclose()
    others = (await desk.client.receive_message(QueueUrl=desk.url, MaxNumberOfMessages=10)).get("Messages", [])
    assert sorted(one["Body"] for one in others) == sorted({"a", "b", "c"} - {message.body})


async def test_what_is_received_again_while_it_is_held_is_not_taken_twice(desk):
    await desk.put("a")
    source = desk.source(visibility_s=1, sleep=lambda _: asyncio.sleep(3_600))  # the renewal does not come
    reading = asyncio.create_task(desk.read(source, settle=False))
    await until(lambda: desk.receives() >= 2)
    assert desk.taken == ["a"]
    (held,) = source._held.values()
    source.settled([held.message])
    await until(lambda: not desk.left())
    await stop(reading)


async def test_a_bug_in_the_reading_is_raised(desk):
    async def broken(most=10):
        raise ZeroDivisionError

    source = desk.source()
    source._queue.receive = broken
    with pytest.raises(ZeroDivisionError):
        await anext(source.batches())


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('{"a":"ü"}', '{"a":"ü"}'.encode()),
        ("no event", b"no event"),
        ("\ud800", b"\xed\xa0\x80"),
        ("x" * 101, OversizedLine(b"x" * 101, 101)),
    ],
)
def test_bodies_are_lines(body, line):
    assert line_of(ReceivedMessage("id", body, "receipt", 0, None), 100) == line


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/events", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/events", "cn-north-1"),
        ("http://127.0.0.1:4566/123456789012/events", None),
        ("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/events", None),
    ],
)
def test_the_region_is_that_of_the_queue(url, region):
    assert region_of(url) == region
