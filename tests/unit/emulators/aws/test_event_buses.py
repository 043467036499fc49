"""This module holds the bus operations of the emulator to what clients expect of EventBridge."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize("name", ["orders", "arn:aws:events:us-east-1:123456789012:event-bus/orders"])
async def test_a_bus_is_described_by_name_and_by_arn(events, name):
    described = await events.describe_event_bus(Name=name)
    assert described["Name"] == "orders"
    assert described["Arn"] == "arn:aws:events:eu-west-1:123456789012:event-bus/orders"


async def test_no_name_means_the_default_bus(events):
    assert (await events.describe_event_bus())["Name"] == "default"


async def test_an_unknown_bus_is_not_found(events):
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        await events.describe_event_bus(Name="nowhere")


async def test_a_bus_is_created_once_and_deleted(events):
    created = await events.create_event_bus(Name="new")
    assert created["EventBusArn"].endswith(":event-bus/new")
    with pytest.raises(events.exceptions.ResourceAlreadyExistsException):
        await events.create_event_bus(Name="new")
    await events.delete_event_bus(Name="new")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        await events.describe_event_bus(Name="new")


async def test_the_default_bus_stays(events):
    with pytest.raises(ClientError, match="ValidationException"):
        await events.delete_event_bus(Name="default")


async def test_buses_are_listed_in_pages(events):
    for name in ("a-1", "a-2", "a-3"):
        await events.create_event_bus(Name=name)
    first = await events.list_event_buses(NamePrefix="a-", Limit=2)
    rest = await events.list_event_buses(NamePrefix="a-", Limit=2, NextToken=first["NextToken"])
    assert [bus["Name"] for page in (first, rest) for bus in page["EventBuses"]] == ["a-1", "a-2", "a-3"]
    assert "NextToken" not in rest


async def test_credentials_can_be_checked(aws, clients):
    sts = await clients("sts", aws.url)
    identity = await sts.get_caller_identity()
    assert (identity["Account"], identity["UserId"]) == ("123456789012", "test-key")


async def test_an_operation_that_is_not_there_says_so(events):
    with pytest.raises(ClientError, match="UnknownOperationException"):
        await events.list_rules()
