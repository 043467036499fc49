"""Tests of buses in other accounts and regions, and behind global endpoints."""

from __future__ import annotations

import pytest

from clients.aws.client import open_client
from clients.aws.events.custom_bus import EventsClient, open_buses
from processors.routes.target import Target

BUS = "arn:aws:events:eu-west-1:222222222222:event-bus/theirs"


class Client:
    """Notes what it is asked."""

    def __init__(self, name):
        self.name, self.calls = name, []

    async def put_events(self, **parameters):
        self.calls.append(parameters)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": self.name}]}

    async def describe_event_bus(self, **parameters):
        self.calls.append(parameters)
        return {"Arn": parameters["Name"]}


@pytest.fixture
def scene():
    own, opened, targets = Client("own"), {}, {}

    async def open_classic(target):
        assert target not in opened
        opened[target] = Client("theirs")
        return opened[target]

    async def open_custom(bus, target):
        raise AssertionError

    return EventsClient(own, open_custom, open_classic, lambda: targets), own, opened, targets


async def test_a_bus_with_a_target_has_a_client_of_its_own_in_its_region_opened_once(scene):
    client, own, opened, targets = scene
    targets[BUS] = Target(role="r")
    for _ in range(2):
        answer = await client.put_events(Entries=[{"EventBusName": BUS}])
    await client.describe_event_bus(Name=BUS)
    assert answer["Entries"] == [{"EventId": "theirs"}]
    assert list(opened) == [Target(role="r", region="eu-west-1")]
    assert own.calls == []


async def test_other_buses_are_asked_as_before(scene):
    client, own, opened, targets = scene
    targets[BUS] = Target(role="r")
    await client.put_events(Entries=[{"EventBusName": "ours"}])
    await client.describe_event_bus(Name="ours")
    assert len(own.calls) == 2
    assert opened == {}


async def test_a_global_endpoint_is_named_in_the_request(scene):
    client, _, opened, targets = scene
    targets["ours"] = Target(endpoint_id="abcde.veo")
    await client.put_events(Entries=[{"EventBusName": "ours"}])
    [endpoint] = opened.values()
    assert endpoint.calls == [{"Entries": [{"EventBusName": "ours"}], "EndpointId": "abcde.veo"}]


async def test_routes_that_change_change_the_target(scene):
    client, own, opened, targets = scene
    await client.put_events(Entries=[{"EventBusName": "ours"}])
    targets["ours"] = Target(region="us-east-1")
    await client.put_events(Entries=[{"EventBusName": "ours"}])
    assert len(own.calls) == len(opened) == 1


@pytest.mark.parametrize("client", ["direct", "aioboto3"])
async def test_a_role_is_assumed_with_its_external_id_and_events_go_into_its_account(moto_settings, client):
    settings = moto_settings.model_copy(update={"eventbridge_client": client})
    theirs = Target("arn:aws:iam::222222222222:role/events", "our-contract", "us-east-1")
    async with open_client(settings, "events", target=theirs) as events:
        identity = await events._client._request_signer._credentials.get_frozen_credentials()
        assert identity.token  # of a session, not the keys of the environment
        await events._client.create_event_bus(Name=f"theirs-{client}")
    bus = f"arn:aws:events:us-east-1:222222222222:event-bus/theirs-{client}"
    async with open_buses(settings, lambda: {bus: theirs}) as buses:
        entry = {"Source": "s", "DetailType": "d", "Detail": "{}", "EventBusName": bus}
        answer = await buses.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0
        assert (await buses.describe_event_bus(Name=bus))["Arn"] == bus
