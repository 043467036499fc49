"""This module tests queues and users over HTTP, and the topics that can be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.genesys import ALL_PERMISSIONS, GenesysEmulator

SignIn = Callable[..., Any]


@pytest.mark.parametrize("path", ["/api/v2/routing/queues", "/api/v2/users"])
async def test_pages_together_hold_everything_once(path: str, sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        ids: list[str] = []
        following = f"{path}?pageSize=4"
        while following:
            body = (await client.get(following)).json()
            ids += [one["id"] for one in body["entities"]]
            following = body.get("nextUri", "")
        assert len(ids) == len(set(ids)) == body["total"]
        assert body["pageNumber"] == body["pageCount"] == -(-body["total"] // 4)


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=501", "pageNumber=x", "pageNumber=-1"])
async def test_wrong_paging_is_refused(query: str, sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        answer = await client.get(f"/api/v2/routing/queues?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid.value")


async def test_a_queue_can_be_added_and_asked_for(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        path = "/api/v2/routing/queues"
        added = (await client.post("/_emulator/queues", json={"name": "Late Shift"})).json()
        assert (await client.get(f"{path}/{added['id']}")).json()["name"] == "Late Shift"
        assert added["id"] in [one["id"] for one in (await client.get(path)).json()["entities"]]
        assert (await client.get(f"{path}/unknown")).json()["code"] == "not.found"


async def test_missing_permissions_are_named(sign_in: SignIn) -> None:
    granted = ALL_PERMISSIONS - {"routing:queue:view"}
    async with GenesysEmulator(permissions=granted) as genesys, sign_in(genesys) as client:
        refused = await client.get("/api/v2/routing/queues")
        assert (refused.status_code, refused.json()["code"]) == (403, "missing.any.permissions")
        assert "routing:queue:view" in refused.json()["message"]
        await client.put("/_emulator/permissions", json={"permissions": sorted(ALL_PERMISSIONS)})
        assert (await client.get("/api/v2/routing/queues")).status_code == 200


async def test_available_topics_show_what_expand_names(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        path = "/api/v2/notifications/availabletopics"
        plain = (await client.get(path)).json()["entities"]
        assert {"id": "v2.routing.queues.{id}.conversations"} in plain
        expanded = (await client.get(path, params={"expand": "transports,requiresPermissions"})).json()["entities"]
        assert all(topic.keys() == {"id", "transports", "requiresPermissions"} for topic in expanded)
