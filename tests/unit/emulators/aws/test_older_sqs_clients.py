"""This module speaks to the emulated queues as SQS clients did before AWS JSON: query and XML."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import httpx
import pytest

from tests.unit.emulators.aws.queue_urls import queue_url

NAMES = {"": "http://queue.amazonaws.com/doc/2012-11-05/"}
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/sqs/aws4_request, Signature=0"


@pytest.fixture
async def ask(aws):
    async with httpx.AsyncClient(headers={"Authorization": AUTHORIZATION}) as client:

        async def asked(action, **fields):
            answer = await client.post(aws.url, data={"Action": action, "Version": "2012-11-05", **fields})
            return answer.status_code, ElementTree.fromstring(answer.content)

        yield asked


def texts(element, name):
    return [found.text for found in element.iterfind(f".//{{*}}{name}", NAMES)]


async def test_a_batch_is_sent_received_and_deleted(aws, ask):
    url = queue_url(aws, "failures")
    sent = {
        "SendMessageBatchRequestEntry.1.Id": "one",
        "SendMessageBatchRequestEntry.1.MessageBody": "<first>",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Name": "stage",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType": "String",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue": "publish",
        "SendMessageBatchRequestEntry.2.Id": "two",
        "SendMessageBatchRequestEntry.2.MessageBody": "second",
        "SendMessageBatchRequestEntry.2.DelaySeconds": "901",
    }
    status, answer = await ask("SendMessageBatch", QueueUrl=url, **sent)
    assert (status, texts(answer, "Id")) == (200, ["one", "two"])
    assert texts(answer, "SenderFault") == ["true"]

    asked = {"AttributeName.1": "All", "MessageAttributeName.1": "All", "MaxNumberOfMessages": "10"}
    status, answer = await ask("ReceiveMessage", QueueUrl=url, **asked)
    assert (texts(answer, "Body"), texts(answer, "StringValue")) == (["<first>"], ["publish"])
    assert "ApproximateReceiveCount" in texts(answer, "Name")

    (handle,) = texts(answer, "ReceiptHandle")
    status, answer = await ask("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
    assert status == 200
    assert aws.state.queues["failures"].contents() == []


async def test_a_queue_is_created_with_attributes(ask):
    fields = {"Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "7"}
    await ask("CreateQueue", QueueName="old", **fields)
    status, answer = await ask("GetQueueUrl", QueueName="old")
    (url,) = texts(answer, "QueueUrl")
    status, answer = await ask("GetQueueAttributes", QueueUrl=url, **{"AttributeName.1": "VisibilityTimeout"})
    assert (status, texts(answer, "Name"), texts(answer, "Value")) == (200, ["VisibilityTimeout"], ["7"])


async def test_errors_have_their_old_codes(ask):
    status, answer = await ask("GetQueueUrl", QueueName="nowhere")
    assert (status, texts(answer, "Code")) == (400, ["AWS.SimpleQueueService.NonExistentQueue"])


async def test_an_unknown_action_is_refused(ask):
    status, answer = await ask("Nonsense")
    assert (status, texts(answer, "Code")) == (400, ["InvalidAction"])
