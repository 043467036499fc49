"""This module tests channels and their subscriptions over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.genesys import ALL_PERMISSIONS, ChannelLimits, GenesysEmulator
from emulators.genesys.event_stream.events import QUEUE_IDS

PATH = "/api/v2/notifications/channels"
TOPICS = [{"id": f"v2.routing.queues.{ident}.conversations"} for ident in QUEUE_IDS.values()]
PRESENCE = {"id": "v2.users.0b8a3a52-97c8-4f3e-9a39-6a3c7e3b1c55.presence"}
SignIn = Callable[..., Any]


async def test_channel_is_made_listed_and_found(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client, sign_in(genesys) as other:
        channel = (await client.post(PATH)).json()
        assert channel["connectUri"] == f"{genesys.socket_url}/channels/{channel['id']}"
        assert channel["expires"].endswith("Z")
        assert (await client.head(f"{PATH}/{channel['id']}")).status_code == 200
        assert (await client.head(f"{PATH}/unknown")).status_code == 404
        assert [one["id"] for one in (await client.get(PATH)).json()["entities"]] == [channel["id"]]
        assert (await other.get(PATH)).json()["entities"] == []
        seen = (await other.get(PATH, params={"includechannels": "oauthclient"})).json()["entities"]
        assert [list(one) for one in seen] == [["expires"]]


async def test_topics_are_added_replaced_and_cleared(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        path = f"{PATH}/{(await client.post(PATH)).json()['id']}/subscriptions"
        answer = await client.post(path, json=TOPICS[:2])
        assert [one["state"] for one in answer.json()["entities"]] == ["Permitted", "Permitted"]
        await client.post(path, json=TOPICS[1:3])
        assert len((await client.get(path)).json()["entities"]) == 3
        await client.put(path, json=TOPICS[3:4])
        assert [one["id"] for one in (await client.get(path)).json()["entities"]] == [TOPICS[3]["id"]]
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).json() == {"entities": []}


async def test_one_forbidden_topic_refuses_the_whole_request(sign_in: SignIn) -> None:
    granted = ALL_PERMISSIONS - {"directory:user:view"}
    async with GenesysEmulator(permissions=granted) as genesys, sign_in(genesys) as client:
        path = f"{PATH}/{(await client.post(PATH)).json()['id']}/subscriptions"
        refused = await client.post(path, json=[TOPICS[0], PRESENCE])
        assert (refused.status_code, refused.json()["code"]) == (403, "missing.any.permissions")
        assert (await client.get(path)).json() == {"entities": []}
        mixed = await client.post(path, params={"ignoreErrors": "true"}, json=[TOPICS[0], PRESENCE])
        assert [one["state"] for one in mixed.json()["entities"]] == ["Permitted", "Rejected"]
        assert mixed.json()["entities"][1]["missingPermissions"] == ["directory:user:view"]
        assert [one["id"] for one in (await client.get(path)).json()["entities"]] == [TOPICS[0]["id"]]


async def test_bad_bodies_and_too_many_topics_are_refused(sign_in: SignIn) -> None:
    limits = ChannelLimits(topics=2)
    async with GenesysEmulator(channel_limits=limits) as genesys, sign_in(genesys) as client:
        path = f"{PATH}/{(await client.post(PATH)).json()['id']}/subscriptions"
        for body in ({"id": "x"}, [{"name": "x"}], ["x"], [{"id": "v2.unheard.of"}], TOPICS[:3]):
            answer = await client.post(path, json=body)
            assert answer.status_code == 400, body
        assert (await client.post(f"{PATH}/unknown/subscriptions", json=TOPICS)).status_code == 404


async def test_the_twenty_first_channel_evicts_one(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        ids = [(await client.post(PATH)).json()["id"] for _ in range(21)]
        assert [(await client.head(f"{PATH}/{ident}")).status_code for ident in ids] == [404, *[200] * 20]
        assert len((await client.get(PATH)).json()["entities"]) == 20
