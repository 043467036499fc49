"""Tests of custom buses over the wire, against the emulator: what is put, de-duplicated, refused and looked up."""

from datetime import UTC, datetime

import aioboto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clients.aws.client import MODELS
from clients.aws.events.custom_bus import SERVICE, EventsClient
from emulators.aws import AWSEmulator

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture(scope="module")
def session():
    made = aioboto3.Session("AKID", "secret", region_name="us-east-1")
    made._session.get_component("data_loader").search_paths.append(str(MODELS))
    return made


@pytest.fixture
async def aws():
    async with AWSEmulator() as emulator:
        yield emulator


@pytest.fixture
async def client(session, aws):
    async with (
        session.client(SERVICE, endpoint_url=aws.url, config=ONCE) as custom,
        session.client("events", endpoint_url=aws.url, config=ONCE) as classic,
    ):

        async def open_custom(bus, target):
            return custom

        yield EventsClient(classic, open_custom)


def entry(bus, number=1, **metadata):
    return {
        "Source": "genesys.cloud",
        "DetailType": "interaction.event",
        "Detail": f'{{"number":{number}}}',
        "Resources": ["/genesys/interactions/1"],
        "EventBusName": bus,
        "Time": datetime(2026, 11, 23, 10, tzinfo=UTC),
        **({"SystemMetadata": metadata} if metadata else {}),
    }


async def test_an_arn_of_a_custom_bus_goes_to_it_and_a_name_to_the_classic_one(client, aws):
    arn = aws.state.custom_buses.add("orders").arn
    custom = await client.put_events(Entries=[entry(arn, 1, EventGroupId="i-1", DeduplicationId="e-1")])
    classic = await client.put_events(Entries=[entry("default", 2)])
    assert [len(answer["Entries"]) for answer in (custom, classic)] == [1, 1]
    first, second = aws.state.ledger.events
    assert (first.bus, first.group, first.detail) == ("orders", "i-1", '{"number":1}')
    assert (second.bus, second.group) == ("default", None)


async def test_an_entry_that_comes_again_is_accepted_and_not_put_twice(client, aws):
    arn = aws.state.custom_buses.add("orders").arn
    again = [entry(arn, number, EventGroupId="i-1", DeduplicationId="e-1") for number in (1, 2)]
    answer = await client.put_events(Entries=again)
    assert [one["SuccessCode"] for one in answer["Entries"]] == ["PUBLISHED", "DEDUPLICATED"]
    assert all(one["EventId"] for one in answer["Entries"])
    assert len(aws.state.ledger.events) == 1


async def test_a_hundred_entries_are_one_request_in_their_order(client, aws):
    arn = aws.state.custom_buses.add("orders").arn
    await client.put_events(Entries=[entry(arn, number, EventGroupId="i-1") for number in range(100)])
    assert [event.detail for event in aws.state.ledger.events] == [f'{{"number":{n}}}' for n in range(100)]
    with pytest.raises(ClientError, match="InvalidInputException"):
        await client.put_events(Entries=[entry(arn, number) for number in range(101)])


async def test_an_unknown_bus_is_refused_whole(client, aws):
    arn = aws.state.custom_buses.add("orders").arn + "x"
    with pytest.raises(ClientError) as caught:
        await client.put_events(Entries=[entry(arn)])
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


async def test_a_bus_is_described_by_its_arn_and_must_be_active(client, aws):
    bus = aws.state.custom_buses.add("orders")
    assert (await client.describe_event_bus(Name=bus.arn))["Arn"] == bus.arn
    bus.state = "DELETING"
    with pytest.raises(ClientError, match="InvalidStateException"):
        await client.describe_event_bus(Name=bus.arn)
    assert (await client.describe_event_bus(Name="default"))["Name"] == "default"
