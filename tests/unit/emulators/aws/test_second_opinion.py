"""This module runs the same calls against the emulator and against moto where both follow AWS."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from emulators.aws import AWSEmulator

KEYS = {"aws_access_key_id": "test-key", "aws_secret_access_key": "test-secret"}


@pytest.fixture(scope="module")
def second(moto: str) -> str:
    """Moto with a bus and two queues."""
    boto3.client("events", "eu-west-1", endpoint_url=moto, **KEYS).create_event_bus(Name="second-opinion")
    sqs = boto3.client("sqs", "eu-west-1", endpoint_url=moto, **KEYS)
    sqs.create_queue(QueueName="second-opinion")
    sqs.create_queue(QueueName="second-opinion.fifo", Attributes={"FifoQueue": "true"})
    return moto


@pytest.fixture(params=["emulator", "moto"])
async def url(request):
    if request.param == "moto":
        yield request.getfixturevalue("second")
    else:
        async with AWSEmulator(buses=["second-opinion"], queues=["second-opinion", "second-opinion.fifo"]) as aws:
            yield aws.url


async def refused(call) -> str:
    with pytest.raises(ClientError) as caught:
        await call
    return caught.value.response["Error"]["Code"]


async def test_put_events_answers_by_entry(url, clients):
    events = await clients("events", url)
    good = {"Source": "s", "DetailType": "t", "Detail": json.dumps({"a": 1})}
    answer = await events.put_events(
        Entries=[
            good,
            *(good | {name: ""} for name in ("Source", "DetailType", "Detail")),
            good | {"Detail": "{"},
        ]
    )
    assert answer["FailedEntryCount"] == 4
    assert [item.get("ErrorCode") for item in answer["Entries"]] == [
        None,
        *["InvalidArgument"] * 3,
        "MalformedDetail",
    ]
    assert await refused(events.put_events(Entries=[good] * 11)) == "ValidationException"


async def test_buses_are_described_or_not_found(url, clients):
    events = await clients("events", url)
    described = await events.describe_event_bus(Name="second-opinion")
    assert described["Arn"] == "arn:aws:events:eu-west-1:123456789012:event-bus/second-opinion"
    assert await refused(events.describe_event_bus(Name="nowhere")) == "ResourceNotFoundException"


async def test_messages_travel_with_the_same_digests(url, clients):
    sqs = await clients("sqs", url)
    queue = (await sqs.get_queue_url(QueueName="second-opinion"))["QueueUrl"]
    sent = await sqs.send_message(QueueUrl=queue, MessageBody="ü")
    (message,) = (await sqs.receive_message(QueueUrl=queue))["Messages"]
    assert message["Body"] == "ü"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == "c03410a5204b21cd8229ff754688d743"
    entries = [{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    assert len((await sqs.delete_message_batch(QueueUrl=queue, Entries=entries))["Successful"]) == 1


async def test_fifo_groups_and_duplicates(url, clients):
    sqs = await clients("sqs", url)
    queue = (await sqs.get_queue_url(QueueName="second-opinion.fifo"))["QueueUrl"]
    for body, group, key in (("a1", "a", "1"), ("a1 again", "a", "1"), ("a2", "a", "2"), ("b1", "b", "3")):
        await sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=key)
    first = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)
    second = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert [message["Body"] for message in first["Messages"]] == ["a1"]
    assert [message["Body"] for message in second["Messages"]] == ["b1"]
    assert await refused(sqs.send_message(QueueUrl=queue, MessageBody="x")) == "MissingParameter"


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(number), "MessageBody": "x"} for number in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)], "BatchRequestTooLong"),
    ],
)
async def test_batches_beyond_the_limits(url, clients, entries, error):
    sqs = await clients("sqs", url)
    queue = (await sqs.get_queue_url(QueueName="second-opinion"))["QueueUrl"]
    with pytest.raises(getattr(sqs.exceptions, error)):
        await sqs.send_message_batch(QueueUrl=queue, Entries=entries)


async def test_a_missing_queue(url, clients):
    sqs = await clients("sqs", url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        await sqs.get_queue_url(QueueName="nowhere")


async def test_metrics_are_taken_and_bad_ones_refused(url, clients):
    cloudwatch = await clients("cloudwatch", url)
    datum = {"MetricName": "m", "Dimensions": [{"Name": "a", "Value": "b"}], "Unit": "Count"}
    for measured in ({"Value": 1.0}, {"Values": [1.0, 2.0], "Counts": [1.0, 3.0]}):
        answer = await cloudwatch.put_metric_data(Namespace="N", MetricData=[datum | measured])
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    not_a_number = cloudwatch.put_metric_data(Namespace="N", MetricData=[datum | {"Value": float("nan")}])
    assert await refused(not_a_number) == "InvalidParameterValue"
