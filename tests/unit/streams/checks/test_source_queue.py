"""This module tests the look at the queue that Genesys' own integration fills."""

from __future__ import annotations

import aioboto3

from settings import load_settings
from streams.checks.source import check_source


async def look(aws, name="events"):
    source = f"sqs:{aws.url}/123456789012/{name}"
    [found] = await check_source(
        load_settings(genesys_source=source, aws_endpoint_url=aws.url, aws_region="eu-west-1", genesys_client_id=None)
    )
    return found


async def test_a_queue_is_described_and_its_rights_are_tried(aws):
    found = await look(aws)
    assert (found.ok, found.detail) == (True, "0 message(s) waiting, 0 being read, kept for 4 days")
    assert found.fix == ""


async def test_a_message_that_the_look_receives_can_be_read_at_once(aws):
    session = aioboto3.Session(region_name="eu-west-1")
    async with session.client("sqs", endpoint_url=aws.url) as client:
        await client.send_message(QueueUrl=f"{aws.url}/123456789012/events", MessageBody="x")
    assert (await look(aws)).ok
    [message] = aws.state.queues["events"].contents()
    assert message["state"] == "visible"


async def test_a_queue_that_is_not_there_is_named(aws):
    found = await look(aws, "nothing")
    assert not found.ok
    assert found.detail == "does not exist"
    assert "GENESYS_SOURCE" in found.fix


async def test_a_missing_right_names_what_is_needed(aws):
    rule = {"kind": "answer", "service": "sqs", "operation": "ReceiveMessage", "code": "AccessDenied", "status": 403}
    aws.faults = type(aws.faults).model_validate({"requests": [{**rule, "share": 1.0}]})
    found = await look(aws)
    assert not found.ok
    assert "AccessDenied" in found.detail
    assert "ReceiveMessage" in found.fix
