"""This module tests the remote control: every command does over HTTP what its method does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from emulators.genesys import Faults, GenesysEmulator


async def test_faults_are_put_shown_and_taken_away() -> None:
    async with GenesysEmulator() as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        put = await client.put("/_emulator/faults", json={"cut_every_events": 3})
        assert put.json()["cut_every_events"] == genesys.faults.cut_every_events == 3
        wrong = await client.put("/_emulator/faults", json={"no_such": 3})
        assert (wrong.status_code, genesys.faults.cut_every_events) == (400, 3)
        assert (await client.delete("/_emulator/faults")).status_code == 204
        assert (await client.get("/_emulator/faults")).json()["cut_every_events"] == 0


async def test_emitted_events_and_lines_arrive(read_stream: Callable[..., Any], eventually: Callable[..., Any]) -> None:
    async with GenesysEmulator(count=0) as genesys, read_stream(genesys) as reader:
        for body in ({"event": {"id": "by hand"}}, {"line": "héllo"}):
            assert (await reader.client.post("/_emulator/emit", json=body)).json() == {"receivers": 1}
        await reader.read(lambda: len(reader.lines) == 2)
        assert reader.lines == [b'{"id":"by hand"}', "héllo".encode()]
        await eventually(lambda: genesys.ledger.deliveries == 2)
        ledger = (await reader.client.get("/_emulator/ledger")).json()
        assert ledger["emitted"] == ["by hand", "line-1"]
        assert ledger["match"] == ledger["filtered"] == ledger["invalid"] == []


@pytest.mark.parametrize("body", [{}, {"event": "x"}, {"line": 1}, [], {"frame": 1}])
async def test_unclear_emits_are_refused(body: object) -> None:
    async with GenesysEmulator() as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        assert (await client.post("/_emulator/emit", json=body)).status_code == 400


async def test_rate_is_changed_while_it_runs(read_stream: Callable[..., Any]) -> None:
    async with GenesysEmulator(rate=0.001, count=50) as genesys, read_stream(genesys) as reader:
        assert (await reader.client.put("/_emulator/rate", json={"rate": 5000})).json() == {"rate": 5000.0}
        await reader.read(lambda: len(reader.ids()) == 50)
        for wrong in (-1, "fast", True, None):
            assert (await reader.client.put("/_emulator/rate", json={"rate": wrong})).status_code == 400
        assert (await reader.client.put("/_emulator/rate", content=b"{")).status_code == 400


async def test_more_lets_production_go_on(read_stream: Callable[..., Any]) -> None:
    async with GenesysEmulator(rate=2_000, count=5) as genesys, read_stream(genesys) as reader:
        await reader.read(lambda: len(reader.ids()) == 5)
        await reader.client.post("/_emulator/more", json={"count": 7})
        await reader.read(lambda: len(reader.ids()) == 12)
        for wrong in (0, "many", True, None):
            assert (await reader.client.post("/_emulator/more", json={"count": wrong})).status_code == 400


async def test_finish_ends_production_and_the_summary_says_so(
    read_stream: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    async with GenesysEmulator(rate=100) as genesys, read_stream(genesys) as reader:
        await reader.read(lambda: len(reader.lines) > 20)
        produced = (await reader.client.post("/_emulator/finish")).json()["stream"]["produced"]
        await reader.read(lambda: len({str(one) for one in reader.ids()}) == sum(produced.values()))
        await eventually(lambda: genesys.streaming.as_json()["finished"] is True)
        summary = (await reader.client.get("/_emulator/")).json()
        assert summary["stream"]["produced"] == produced
        assert summary["requests"]["POST /oauth/token"] == summary["tokens"]["requests"] == 1


async def test_topics_are_forgotten_in_silence_or_with_the_real_notice(
    sign_in: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    async with GenesysEmulator(conversation_rate=0.0) as genesys, sign_in(genesys) as client:
        channel = (await client.post("/api/v2/notifications/channels")).json()
        path = f"/api/v2/notifications/channels/{channel['id']}/subscriptions"
        topic = f"v2.routing.queues.{next(iter(genesys.notifications.directory.queues))}.conversations"
        async with connect(channel["connectUri"]) as socket:
            await client.put(path, json=[{"id": topic}])
            assert (await client.post("/_emulator/forget")).json() == {"channels": 1}
            assert (await client.get(path)).json() == {"entities": []}
            await client.put(path, json=[{"id": topic}])
            asked = await client.post("/_emulator/notice", json={"notice": "no_longer_subscribed"})
            assert asked.json() == {"receivers": 1}
            notice = orjson.loads(await socket.recv())
            assert notice["topicName"] == f"v2.system.no_longer_subscribed.{channel['id']}"
            assert notice["eventBody"]["channelId"] == channel["id"]
            assert (await client.get(path)).json() == {"entities": []}
            await client.put(path, json=[{"id": topic}])
            genesys.faults = Faults(forget_every_seconds=0.05)
            await eventually(lambda: not next(iter(genesys.notifications.channels)).topics)
            genesys.faults = Faults()
            await client.post("/_emulator/notice", json={"notice": "token_revoked"})
            assert orjson.loads(await socket.recv())["topicName"] == f"v2.system.token_revoked.{channel['id']}"
            assert (await client.get(path)).status_code == 401
        assert (await client.post("/_emulator/notice", json={"notice": 1})).status_code == 400


async def test_cut_revoke_and_channels(sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        channel = (await client.post("/api/v2/notifications/channels")).json()
        (shown,) = (await client.get("/_emulator/channels")).json()["entities"]
        assert (shown["id"], shown["connected"], shown["topics"]) == (channel["id"], False, [])
        assert (await client.post("/_emulator/cut")).json() == {"cut": 0}
        assert (await client.post("/_emulator/revoke-tokens")).json() == {"revoked": 1}
        conversations = (await client.get("/_emulator/conversations")).json()
        assert conversations.keys() == {"known", "sent", "missed"}
        assert (await client.post("/_emulator/queues", json={})).status_code == 400
        assert (await client.put("/_emulator/permissions", json={"permissions": "all"})).status_code == 400
