"""This module tests notification sockets with a WebSocket client: what comes, and how they end."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from emulators.genesys import ChannelLimits, Faults, GenesysEmulator
from emulators.genesys.event_stream.events import QUEUE_IDS

PATH = "/api/v2/notifications/channels"
TOPICS = [f"v2.routing.queues.{ident}.conversations" for ident in QUEUE_IDS.values()]
BUSY: dict[str, Any] = {"conversation_rate": 40.0, "pace": 0.1}
ABNORMAL = 1006
Eventually = Callable[..., Any]
Sockets = Callable[..., Any]


@asynccontextmanager
async def open_socket(client: Any, topics: list[str]) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    channel = (await client.post(PATH)).json()
    subscriptions = f"{PATH}/{channel['id']}/subscriptions"
    (await client.post(subscriptions, json=[{"id": topic} for topic in topics])).raise_for_status()
    async with connect(channel["connectUri"], max_size=None, max_queue=None) as socket:
        yield socket, channel


@pytest.fixture
def sockets(sign_in: Callable[..., Any]) -> Sockets:
    """A running emulator with a socket on `topics`."""

    @asynccontextmanager
    async def opened(*topics: str, **options: Any) -> AsyncIterator[tuple[GenesysEmulator, Any, Any, Any]]:
        async with (
            GenesysEmulator(**options) as genesys,
            sign_in(genesys) as client,
            open_socket(client, list(topics)) as (socket, channel),
        ):
            yield genesys, client, socket, channel

    return opened


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def events(socket: ClientConnection, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < number:
        message = await receive(socket)
        if message["topicName"].startswith("v2.routing"):
            found.append(message)
    return found


async def close_code(socket: ClientConnection) -> int | None:
    """Read to the end; None when the connection broke without a close frame."""
    async with asyncio.timeout(60):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass
        await socket.wait_closed()
    return socket.close_code if socket.close_code != ABNORMAL else None


async def test_only_subscribed_topics_are_heard(sockets: Sockets) -> None:
    async with sockets(TOPICS[0], TOPICS[1], **BUSY) as (_, _, socket, _):
        heard = await events(socket, 30)
        assert {one["topicName"] for one in heard} == set(TOPICS[:2])
        for one in heard:
            assert one["version"] == "2"
            assert one["metadata"]["CorrelationId"]
            queue = one["topicName"].split(".")[3]
            assert queue in [party.get("queueId") for party in one["eventBody"]["participants"]]
        assert len({one["metadata"]["CorrelationId"] for one in heard}) == 30


async def test_count_ends_the_events_and_the_socket_stays(sockets: Sockets) -> None:
    async with sockets(*TOPICS, **BUSY, count=25, heartbeat_seconds=0.05) as (genesys, _, socket, _):
        await events(socket, 25)
        of_its_moment = 0
        while (await receive(socket))["topicName"] != "channel.metadata":
            of_its_moment += 1
        for _ in range(5):
            assert (await receive(socket))["eventBody"]["message"] == "WebSocket Heartbeat"
        assert genesys.notifications.as_json()["ended"] is True
        assert genesys.notifications.tally.frames["event"] == 25 + of_its_moment
        assert of_its_moment < 12


async def test_heartbeats_and_pongs(sockets: Sockets) -> None:
    async with sockets(heartbeat_seconds=0.02) as (genesys, _, socket, _):
        heartbeat = await receive(socket)
        assert heartbeat == {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}
        await socket.send('{"message":"ping"}')
        async with asyncio.timeout(60):
            while (await receive(socket))["eventBody"]["message"] != "pong":
                pass
        genesys.faults = Faults(silent=True)
        await socket.send('{"message":"ping"}')
        await socket.send('{"message":"dance"}')
        async with asyncio.timeout(60):
            while "result" not in (answer := await receive(socket)):
                assert answer["eventBody"]["message"] != "pong"


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        '{"message":"dance"}',
        b"binary",
    ],
)
async def test_messages_that_are_not_understood(message: str | bytes, sockets: Sockets) -> None:
    async with sockets() as (_, _, socket, _):
        await socket.send(message)
        assert (await receive(socket))["result"] == "400"
        await socket.send('{"message":"ping"}')
        assert (await receive(socket))["eventBody"]["message"] == "pong"


async def test_nothing_is_replayed_and_analytics_knows_what_was_missed(
    sockets: Sockets, eventually: Eventually
) -> None:
    async with sockets(*TOPICS, **BUSY) as (genesys, client, socket, channel):
        await events(socket, 20)
        await socket.close()
        await eventually(lambda: len(genesys.notifications.tally.missed) > 30)
        async with connect(channel["connectUri"]) as again:
            await events(again, 5)
            genesys.finish()
        truth = genesys.notifications.conversations_as_json()
        unheard = set(truth["missed"]) - set(truth["sent"])
        assert unheard
        assert unheard <= await known_to_analytics(client)


async def known_to_analytics(client: Any) -> set[str]:
    found: set[str] = set()
    now = datetime.now(UTC)
    interval = f"{(now - timedelta(hours=1)).isoformat()}/{(now + timedelta(hours=1)).isoformat()}"
    for number in count(1):
        query = {"interval": interval, "paging": {"pageSize": 100, "pageNumber": number}}
        answer = await client.post("/api/v2/analytics/conversations/details/query", json=query)
        page = answer.json().get("conversations", [])
        found |= {one["conversationId"] for one in page}
        if not page:
            break
    return found


async def test_a_second_connection_ends_the_first(sockets: Sockets) -> None:
    async with sockets(*TOPICS, **BUSY) as (_, _, first, channel), connect(channel["connectUri"]) as second:
        assert await close_code(first) == 1000
        await events(second, 3)


async def test_maintenance_is_announced_and_the_channel_survives(sockets: Sockets) -> None:
    faults = Faults(closing_every_seconds=0.05, closing_notice_seconds=0.05)
    async with sockets(*TOPICS, **BUSY, faults=faults) as (genesys, _, socket, channel):
        async with asyncio.timeout(60):
            while (await receive(socket))["topicName"] != "v2.system.socket_closing":
                pass
        assert await close_code(socket) == 1001
        genesys.faults = Faults()
        async with connect(channel["connectUri"]) as again:
            await events(again, 1)


async def test_an_expired_channel_says_404_and_is_gone(sockets: Sockets) -> None:
    async with sockets(channel_limits=ChannelLimits(life_seconds=0.3)) as (_, client, socket, channel):
        assert (await receive(socket))["result"] == "404"
        assert await close_code(socket) == 1001
        assert (await client.head(f"{PATH}/{channel['id']}")).status_code == 404
        with pytest.raises(InvalidStatus) as refused:
            await connect(channel["connectUri"])
        assert refused.value.response.status_code == 404


async def test_subscribing_again_extends_the_life_of_a_channel(sockets: Sockets) -> None:
    now = [1_000_000.0]
    limits = ChannelLimits(life_seconds=100)
    async with sockets(channel_limits=limits, clock=lambda: now[0]) as (_, client, _, channel):
        path = f"{PATH}/{channel['id']}"
        for _ in range(3):
            now[0] += 60
            await client.put(f"{path}/subscriptions", json=[{"id": TOPICS[0]}])
        assert (await client.head(path)).status_code == 200
        now[0] += 100
        assert (await client.head(path)).status_code == 404


async def test_revoked_token_ends_the_channel(sockets: Sockets) -> None:
    async with sockets() as (genesys, _, socket, _):
        genesys.tokens.revoke_all()
        assert (await receive(socket))["result"] == "404"
        assert await close_code(socket) == 1001


async def test_upgrade_is_refused_on_request(sockets: Sockets) -> None:
    async with sockets() as (genesys, _, _, channel):
        genesys.faults = Faults(upgrade_status=401)
        with pytest.raises(InvalidStatus) as refused:
            await connect(channel["connectUri"])
        assert refused.value.response.status_code == 401


async def test_cut_drops_sockets_without_a_close_frame(sockets: Sockets) -> None:
    async with sockets() as (genesys, _, socket, _):
        assert genesys.cut() == 1
        assert await close_code(socket) is None


async def test_duplicates_and_repeats_differ_by_correlation_id_alone(sockets: Sockets) -> None:
    faults = Faults(duplicate_share=0.5, repeat_share=0.5)
    async with sockets(*TOPICS, **BUSY, faults=faults) as (genesys, _, socket, _):
        heard = await events(socket, 60)
        bodies = Counter(json.dumps([one["topicName"], one["eventBody"]], sort_keys=True) for one in heard)
        assert max(bodies.values()) > 1
        assert len({one["metadata"]["CorrelationId"] for one in heard}) == 60
        assert genesys.notifications.tally.frames["duplicate"] > 0
        assert genesys.notifications.tally.frames["repeat"] > 0


async def test_events_come_out_of_order_and_none_is_lost(sockets: Sockets) -> None:
    topic = TOPICS[0]
    async with sockets(topic, conversation_rate=0.0, faults=Faults(out_of_order_share=0.5)) as (
        genesys,
        _,
        socket,
        _,
    ):
        for number in range(40):
            assert genesys.notifications.emit_notification(topic, {"id": str(number)}) == 1
        order = [int(one["eventBody"]["id"]) for one in await events(socket, 40)]
        assert sorted(order) == list(range(40))
        assert order != sorted(order)


@pytest.mark.parametrize(
    ("faults", "name", "looks"),
    [
        (Faults(malformed_every=5), "malformed", lambda frame: frame == '{"topicName":"v2.routing.queues.'),
        (Faults(binary_every=5), "binary", lambda frame: isinstance(frame, bytes)),
        (Faults(huge_frame_every=5), "huge_frame", lambda frame: len(frame) > 10_000_000),
        (Faults(unknown_topic_every=5), "unknown_topic", lambda frame: "v2.unheard.of" in str(frame)),
        (Faults(no_ids_every=5), "no_ids", lambda frame: '"eventBody":{"eventTime":0}' in str(frame)),
    ],
    ids=["malformed", "binary", "huge", "unknown topic", "no ids"],
)
async def test_noise_between_events(
    faults: Faults, name: str, looks: Callable[[object], bool], sockets: Sockets
) -> None:
    async with sockets(TOPICS[0], conversation_rate=0.0, faults=faults) as (genesys, _, socket, _):
        for number in range(10):
            genesys.notifications.emit_notification(TOPICS[0], {"id": str(number)})
        async with asyncio.timeout(60):
            frames = [await socket.recv() for _ in range(12)]
        assert [index for index, frame in enumerate(frames) if looks(frame)] == [5, 11]
        assert genesys.summary()["faults"] == {name: 2}


async def test_detail_events_come_for_conversations_named(sockets: Sockets) -> None:
    async with sockets(*TOPICS, conversation_rate=20.0, pace=0.5) as (_, client, socket, channel):
        followed: set[str] = set()
        async with asyncio.timeout(60):
            while True:
                message = await receive(socket)
                name = message.get("topicName", "")
                if name.startswith("v2.routing"):
                    ident = message["eventBody"]["id"]
                    if ident not in followed:
                        followed.add(ident)
                        topics = [{"id": f"v2.detail.events.conversation.{ident}.customer.end"}]
                        await client.post(f"{PATH}/{channel['id']}/subscriptions", json=topics)
                elif name.startswith("v2.detail"):
                    break
        assert message["eventBody"]["conversationId"] in followed
        assert isinstance(message["eventBody"]["eventTime"], int)
