"""This module tests the subscriptions of the HTTP stream: what is accepted, refused, and let through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.genesys import GenesysEmulator
from emulators.genesys.event_stream.ledger import StreamEvent
from emulators.genesys.event_stream.subscriptions import Subscription, parse_definition

PATH = "/api/v2/events/subscriptions"
BODY = {
    "id": "0b8a3a52-97c8-4f3e-9a39-6a3c7e3b1c55",
    "name": "n",
    "description": "d",
    "resourceTypes": ["interaction"],
    "eventTypes": ["created"],
    "filters": [],
}
EVENT = {"resourceType": "interaction", "eventType": "created", "payload": {"type": "voice"}}


async def test_a_subscription_is_made_once(sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        made = await client.post(PATH, json=BODY)
        assert (made.status_code, made.json()["id"]) == (200, BODY["id"])
        again = await client.post(PATH, json=BODY)
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert made.json()["eventTypes"] == ["created"]
        for path in (f"{PATH}/{BODY['id'][::-1]}/events", f"{PATH}/nonsense/events"):
            missing = await client.get(path)
            assert (missing.status_code, missing.json()["code"]) == (404, "not.found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "not-a-uuid"),
        ("id", None),
        ("name", ""),
        ("description", 7),
        ("resourceTypes", "interaction"),
        ("eventTypes", []),
        ("filters", "none"),
    ],
)
async def test_a_wrong_field_is_refused_by_name(field: str, value: object, sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        answer = await client.post(PATH, json=BODY | {field: value})
        body = answer.json()
        assert (answer.status_code, body["code"], body["status"]) == (400, "invalid.value", 400)
        assert body["messageParams"]["field"] == field
        assert {"message", "contextId", "details", "errors"} <= body.keys()


async def test_bodies_that_are_no_json_object_are_refused(sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        assert (await client.post(PATH, content=b"{")).status_code == 400
        assert (await client.post(PATH, json=[])).status_code == 400
        assert (await client.post(PATH, data={"id": "x"})).status_code == 415
        large = await client.post(PATH, content=b" " * 600_000)
        assert (large.status_code, large.json()["status"]) == (413, 413)
        assert (await client.put(PATH, json={})).json()["code"] == "method.not.allowed"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"eventTypes": ["ended"]}, False),
        ({"eventTypes": ["*"]}, True),
        ({"resourceTypes": ["user"]}, False),
        ({"filters": [{"payload.type": "voice"}]}, True),
        ({"filters": {"payload.type": ["chat", "voice"]}}, True),
        ({"filters": [{"payload.type": "chat"}]}, False),
        ({"filters": [{"payload.type": "chat"}, {"eventType": "created"}]}, True),
        ({"filters": [{"payload.no.such": "x"}]}, False),
    ],
)
def test_a_subscription_lets_through_what_it_names(changes: dict[str, object], wanted: bool) -> None:
    assert parse_definition(BODY | changes).wants(EVENT) is wanted


def entries(*names: str) -> list[StreamEvent]:
    return [StreamEvent("match", name, name.encode()) for name in names]


def test_events_given_back_come_first_again() -> None:
    subscription = Subscription(parse_definition(BODY), backlog_limit=10)
    for entry in entries("a", "b", "c"):
        subscription.put(entry)
    subscription.give_back(subscription.take(2))
    assert [entry.id for entry in subscription.take(9)] == ["a", "b", "c"]


def test_a_full_backlog_loses_the_oldest_and_says_so() -> None:
    subscription = Subscription(parse_definition(BODY), backlog_limit=2)
    for entry in entries("a", "b", "c"):
        subscription.put(entry)
    assert ([entry.id for entry in subscription.take(9)], subscription.overflowed) == (["b", "c"], 1)
