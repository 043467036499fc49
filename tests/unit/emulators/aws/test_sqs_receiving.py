"""This module holds receiving from emulated queues to what SQS does: visibility, order, handles."""

from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError

from emulators.aws import AWSEmulator
from tests.unit.emulators.aws.queue_urls import queue_url


@pytest.fixture
def url(aws):
    return queue_url(aws, "failures")


@pytest.fixture
def fifo_url(aws):
    return queue_url(aws, "failures.fifo")


async def bodies(sqs, url, **options):
    answer = await sqs.receive_message(QueueUrl=url, **{"MaxNumberOfMessages": 10, **options})
    return [message["Body"] for message in answer.get("Messages", [])]


async def delete(sqs, url, *handles):
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    answer = await sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return [item["Code"] for item in answer.get("Failed", [])]


async def hide(sqs, url, handle, seconds):
    entry = {"Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": seconds}
    return (await sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry])).get("Failed")


async def send_fifo(sqs, url, *messages):
    for number, (group, body) in enumerate(messages):
        await sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=f"{group}{number}"
        )


async def test_a_received_message_is_hidden_until_its_timeout(sqs, url, clock):
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    assert await bodies(sqs, url, VisibilityTimeout=20) == ["x"]
    clock.now += 19
    assert await bodies(sqs, url) == []
    clock.now += 1
    again = await sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])
    assert again["Messages"][0]["Attributes"] == {"ApproximateReceiveCount": "2"}


async def test_a_deleted_message_is_gone_and_may_be_deleted_again(aws, sqs, url, clock):
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = (await sqs.receive_message(QueueUrl=url))["Messages"][0]
    for _ in range(2):
        assert await delete(sqs, url, message["ReceiptHandle"]) == []
    clock.now += 60
    assert await bodies(sqs, url) == []
    assert aws.state.queues["failures"].contents() == []


async def test_a_late_delete_takes_the_message_off_the_queue(sqs, url, clock):
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    message = (await sqs.receive_message(QueueUrl=url, VisibilityTimeout=1))["Messages"][0]
    clock.now += 2
    assert await delete(sqs, url, message["ReceiptHandle"]) == []
    counted = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert counted["Attributes"] == {"ApproximateNumberOfMessages": "0"}
    assert await bodies(sqs, url) == []


async def test_a_batch_of_deletes_answers_by_id(sqs, url):
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = (await sqs.receive_message(QueueUrl=url))["Messages"][0]["ReceiptHandle"]
    answer = await sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "good", "ReceiptHandle": handle}, {"Id": "bad", "ReceiptHandle": "nonsense"}],
    )
    assert [item["Id"] for item in answer["Successful"]] == ["good"]
    assert [(item["Id"], item["Code"]) for item in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]


async def test_visibility_can_be_given_back_and_prolonged(sqs, url, clock):
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = (await sqs.receive_message(QueueUrl=url, VisibilityTimeout=30))["Messages"][0]["ReceiptHandle"]
    assert not await hide(sqs, url, handle, 100)
    clock.now += 99
    assert await bodies(sqs, url) == []
    assert not await hide(sqs, url, handle, 0)
    assert await bodies(sqs, url) == ["x"]
    assert (await hide(sqs, url, handle, 43_201))[0]["Code"] == "InvalidParameterValue"


async def test_a_long_poll_ends_when_a_message_comes(sqs, url):
    polling = asyncio.create_task(bodies(sqs, url, WaitTimeSeconds=20))
    await sqs.send_message(QueueUrl=url, MessageBody="x")
    assert await asyncio.wait_for(polling, 15) == ["x"]


async def test_a_long_poll_ends_when_a_message_becomes_visible_again(clients):
    async with AWSEmulator(queues=["real-time"]) as aws:
        sqs = await clients("sqs", aws.url)
        url = queue_url(aws, "real-time")
        await sqs.send_message(QueueUrl=url, MessageBody="x")
        assert await bodies(sqs, url, VisibilityTimeout=1) == ["x"]
        assert await asyncio.wait_for(bodies(sqs, url, WaitTimeSeconds=20), 15) == ["x"]


@pytest.mark.parametrize("queue", ["failures", "failures.fifo"])
async def test_messages_are_counted_by_state(aws, sqs, clock, queue):
    url = queue_url(aws, queue)
    fifo = {"MessageGroupId": "g"} if queue.endswith(".fifo") else {}
    for number in range(3):
        unique = {"MessageDeduplicationId": str(number)} if fifo else {}
        await sqs.send_message(QueueUrl=url, MessageBody=str(number), **fifo, **unique)

    async def counts():
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible")]
        told = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return [int(told["Attributes"][name]) for name in names]

    assert await counts() == [3, 0]
    received = await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2, VisibilityTimeout=5)
    assert await counts() == [1, 2]
    assert await delete(sqs, url, received["Messages"][0]["ReceiptHandle"]) == []
    assert await counts() == [1, 1]
    clock.now += 5
    assert await counts() == [2, 0]
    assert len(await bodies(sqs, url)) == 2
    assert await counts() == [0, 2]


async def test_too_many_in_flight_are_refused(aws, sqs, url):
    aws.state.queues["failures"].in_flight = 1
    for body in ("one", "two"):
        await sqs.send_message(QueueUrl=url, MessageBody=body)
    assert await bodies(sqs, url, MaxNumberOfMessages=1) == ["one"]
    with pytest.raises(sqs.exceptions.OverLimit):
        await sqs.receive_message(QueueUrl=url)


async def test_messages_are_kept_for_the_retention_period(aws, sqs, url, clock):
    await sqs.send_message(QueueUrl=url, MessageBody="old")
    clock.now += 2 * 86_400
    await sqs.send_message(QueueUrl=url, MessageBody="young")
    clock.now += 2 * 86_400 + 1
    assert await bodies(sqs, url) == ["young"]
    assert len(aws.state.queues["failures"].messages) == 1


async def test_a_group_in_flight_gives_nothing_more(sqs, fifo_url):
    await send_fifo(sqs, fifo_url, ("a", "a1"), ("a", "a2"), ("b", "b1"))
    first = await sqs.receive_message(QueueUrl=fifo_url, MaxNumberOfMessages=1)
    assert first["Messages"][0]["Body"] == "a1"
    assert await bodies(sqs, fifo_url) == ["b1"]
    assert await bodies(sqs, fifo_url) == []
    assert await delete(sqs, fifo_url, first["Messages"][0]["ReceiptHandle"]) == []
    assert await bodies(sqs, fifo_url) == ["a2"]


async def test_a_group_keeps_its_order_through_a_timeout(sqs, fifo_url, clock):
    await send_fifo(sqs, fifo_url, ("a", "a1"), ("a", "a2"), ("a", "a3"))
    assert await bodies(sqs, fifo_url, MaxNumberOfMessages=2, VisibilityTimeout=5) == ["a1", "a2"]
    clock.now += 5
    assert await bodies(sqs, fifo_url) == ["a1", "a2", "a3"]


async def test_an_expired_handle_does_not_delete_from_a_fifo_queue(sqs, fifo_url, clock):
    await send_fifo(sqs, fifo_url, ("a", "a1"))
    received = await sqs.receive_message(QueueUrl=fifo_url, VisibilityTimeout=5)
    clock.now += 6
    assert await delete(sqs, fifo_url, received["Messages"][0]["ReceiptHandle"]) == ["InvalidParameterValue"]
    assert await bodies(sqs, fifo_url) == ["a1"]


async def test_a_queue_is_deleted(aws, sqs, url):
    told = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert told["Attributes"]["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:failures"
    await sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        await sqs.get_queue_url(QueueName="failures")


async def test_an_attribute_that_there_is_not_is_refused(sqs, url):
    with pytest.raises(ClientError, match="InvalidAttributeName"):
        await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Nonsense"])
