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


async def test_an_operation_that_is_not_there_says_so(events):
    with pytest.raises(ClientError, match="UnknownOperationException"):
        await events.list_rules()
