"""This module holds sending to emulated queues to the limits and errors of SQS."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.unit.emulators.aws.queue_urls import queue_url

MESSAGE_BYTES = 1_048_576

# aiohttp's client warns of bodies above 1 MiB that aiobotocore hands it as bytes; these are meant.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


def batch(*entries):
    return [{"Id": str(number), **entry} for number, entry in enumerate(entries)]


async def test_a_batch_is_answered_by_id_with_whose_fault_it_was(aws, sqs):
    answer = await sqs.send_message_batch(
        QueueUrl=queue_url(aws, "failures"),
        Entries=batch({"MessageBody": "good"}, {"MessageBody": "bad \x01"}, {"MessageBody": ""}),
    )
    assert [item["Id"] for item in answer["Successful"]] == ["0"]
    assert [(item["Id"], item["Code"], item["SenderFault"]) for item in answer["Failed"]] == [
        ("1", "InvalidMessageContents", True),
        ("2", "MissingParameter", True),
    ]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([], "EmptyBatchRequest"),
        (batch(*[{"MessageBody": "x"}] * 11), "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": "no spaces", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": "a" * 81, "MessageBody": "x"}], "InvalidBatchEntryId"),
        (batch(*[{"MessageBody": "x" * (MESSAGE_BYTES // 2 + 1)}] * 2), "BatchRequestTooLong"),
    ],
)
async def test_a_batch_beyond_the_limits_is_refused_whole(aws, sqs, entries, error):
    with pytest.raises(getattr(sqs.exceptions, error)) as caught:
        await sqs.send_message_batch(QueueUrl=queue_url(aws, "failures"), Entries=entries)
    assert caught.value.response["Error"]["Code"] == f"AWS.SimpleQueueService.{error}"
    assert aws.state.queues["failures"].sent == 0


@pytest.mark.parametrize(
    ("queue", "message", "code"),
    [
        ("failures", {"MessageBody": ""}, "MissingParameter"),
        ("failures", {"MessageBody": "x" * (MESSAGE_BYTES + 1)}, "InvalidParameterValue"),
        ("failures", {"MessageBody": "\ufffe"}, "InvalidMessageContents"),
        ("failures", {"MessageBody": "x", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
        ("failures.fifo", {"MessageBody": "x", "MessageDeduplicationId": "d"}, "MissingParameter"),
        ("failures.fifo", {"MessageBody": "x", "MessageGroupId": "g"}, "InvalidParameterValue"),
        (
            "failures.fifo",
            {"MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d" * 129},
            "InvalidParameterValue",
        ),
    ],
)
async def test_a_message_that_is_not_allowed_is_refused(aws, sqs, queue, message, code):
    with pytest.raises(ClientError) as caught:
        await sqs.send_message(QueueUrl=queue_url(aws, queue), **message)
    assert caught.value.response["Error"]["Code"] == code


async def test_standard_queues_take_a_group(aws, sqs):
    await sqs.send_message(QueueUrl=queue_url(aws, "failures"), MessageBody="x", MessageGroupId="tenant")
    assert aws.state.queues["failures"].contents()[0]["system"]["MessageGroupId"] == "tenant"


async def test_an_unknown_queue_has_its_own_exception_and_the_old_code(aws, sqs):
    for call in (
        sqs.get_queue_url(QueueName="nowhere"),
        sqs.send_message(QueueUrl=f"{aws.url}/123456789012/nowhere", MessageBody="x"),
        sqs.get_queue_attributes(QueueUrl=f"{aws.url}/999999999999/failures", AttributeNames=["All"]),
    ):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
            await call
        assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


async def test_duplicates_are_dropped_for_five_minutes(aws, sqs, clock):
    message = {
        "QueueUrl": queue_url(aws, "failures.fifo"),
        "MessageBody": "x",
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
    }
    first = await sqs.send_message(**message)
    clock.now += 299
    assert (await sqs.send_message(**message))["MessageId"] == first["MessageId"]
    assert aws.state.queues["failures.fifo"].sent == 1
    clock.now += 1
    assert (await sqs.send_message(**message))["SequenceNumber"] > first["SequenceNumber"]
    assert aws.state.queues["failures.fifo"].sent == 2
