"""Tests of channels and topics over time: rotation, loss, new queues, what is refused; on the emulator."""

import asyncio

import pytest

from clients.genesys.notifications.channel_api import ChannelClient
from clients.genesys.rest.errors import PermissionMissingError
from emulators.genesys import GenesysEmulator
from emulators.genesys.access.permissions import CONVERSATION_VIEW, QUEUE_VIEW
from emulators.genesys.faults import Faults
from emulators.genesys.notifications.channels import ChannelLimits


async def test_a_channel_is_replaced_before_its_age_without_a_gap(emulator, start, eventually):
    listener = start(emulator, genesys_channel_rotate=0.5, genesys_channel_overlap=0.2)
    await listener.ready()
    said = 0
    while listener.channels["created"] < 4:
        said += 1
        listener.say(listener.queue_topic(), listener.snapshot(f"c-{said}", "connected"))
        await asyncio.sleep(0.02)
    await eventually(lambda: len(listener.lines) == said)
    # Two channels side by side may bring two events in either order, as Genesys itself may.
    arrived = [event["eventBody"]["id"] for event in listener.events]
    assert sorted(arrived) == sorted(f"c-{number}" for number in range(1, said + 1))
    assert listener.observer.counts["frame_duplicate"] > 0, "the channels never ran side by side"
    assert listener.reports == []
    channels = emulator.notifications.channels_as_json
    await eventually(lambda: sum(not one["connected"] and not one["topics"] for one in channels()) >= 2)


async def test_a_channel_is_left_before_its_life_ends(start, eventually, monkeypatch):
    # Of 24 h the last 4 % are an hour; of these seconds they would be less than a busy machine's delay.
    monkeypatch.setattr("clients.genesys.notifications.rotation.LIFE_SHARE", 0.4)
    limits = ChannelLimits(life_seconds=2.5)
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, channel_limits=limits) as emulator:
        listener = start(emulator, genesys_channel_overlap=0.05)
        await listener.ready()
        await eventually(lambda: listener.channels["created"] >= 3)
        assert listener.reports == []
        await listener.close()


async def test_a_closing_notice_brings_the_next_channel_at_once(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    emulator.notifications.emit_frame('{"topicName":"v2.system.socket_closing","eventBody":{"message":"soon"}}')
    await eventually(lambda: listener.channels["created"] == 2)
    await eventually(lambda: listener.sockets == 1 and listener.observer.counts["channel_created"] == 2)
    listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)
    assert listener.reports == []


async def test_what_a_channel_did_not_bring_that_was_dead_when_it_was_left_is_a_gap(
    emulator, start, eventually, monkeypatch
):
    monkeypatch.setattr("clients.genesys.notifications.channel_reader.ALIVE_S", 0.2)
    listener = start(emulator, genesys_channel_overlap=0.05)
    await listener.ready()
    emulator.notifications.emit_frame('{"topicName":"v2.system.socket_closing","eventBody":{"message":"soon"}}')
    (channel,) = list(emulator.notifications.channels)
    channel.socket.offer = lambda frame: None  # what is sent goes nowhere, and no word of it comes back
    await eventually(lambda: listener.states()[:1] == ["open"])
    assert listener.channels["created"] == 2
    assert listener.observer.counts["socket_reconnected"] == 0


async def test_a_server_that_announces_its_end_to_every_new_channel_is_not_given_many(start, eventually):
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, api_limit=10_000) as emulator:
        emulator.faults = Faults(closing_every_seconds=0.01, closing_notice_seconds=60)
        listener = start(emulator, genesys_channel_overlap=0.1)
        await listener.ready()
        await asyncio.sleep(2)
        created = listener.channels["created"]
        assert 2 <= created <= 12
        listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
        await eventually(lambda: len(listener.lines) == 1)
        assert listener.reports == []
        await listener.close()


async def test_a_channel_that_rest_no_longer_knows_is_replaced_though_its_socket_is_open(emulator, start, eventually):
    listener = start(emulator, genesys_queue_refresh=0.1)
    await listener.ready()
    (channel,) = list(emulator.notifications.channels)
    del emulator.notifications.channels._channels[channel.id]  # its socket hears nothing of it
    emulator.notifications.add_queue("Brand new")
    await eventually(lambda: listener.channels["created"] == 2)
    await eventually(lambda: listener.observer.counts["gap_opened"] == 1)


async def test_a_lost_channel_is_replaced_and_the_gap_told(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    emulator.tokens.revoke_all()  # Genesys drops the channels of a token that is no more
    await eventually(lambda: listener.channels["created"] == 2)
    await listener.ready()
    await eventually(lambda: listener.states() == ["open", "healed"])
    listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)


async def test_a_new_queue_is_picked_up(emulator, start, eventually):
    listener = start(emulator, genesys_queue_refresh=0.1)
    await listener.ready()
    queue = emulator.notifications.add_queue("Brand new")
    topic = f"v2.routing.queues.{queue.id}.conversations"
    await eventually(lambda: any(topic in one["topics"] for one in emulator.notifications.channels_as_json()))
    listener.say(topic, listener.snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)
    assert listener.events[0]["queue"]["name"] == "Brand new"
    assert listener.channels["created"] == 1


async def test_shards_share_the_topics_without_overlap(emulator, start, eventually):
    listeners = [start(emulator, part, 3, genesys_shards=3) for part in range(3)]
    await eventually(lambda: all(listener.source.topics for listener in listeners))
    await listeners[0].ready(sockets=3)
    topics = [topic for listener in listeners for topic in listener.source.topics]
    assert sorted(topics) == sorted(
        f"v2.routing.queues.{queue}.conversations" for queue in emulator.notifications.directory.queues
    )


async def test_rejected_topics_are_told_with_what_is_missing(start, logged, eventually):
    async with GenesysEmulator(conversation_rate=0.0, permissions={QUEUE_VIEW}) as emulator:
        listener = start(emulator, genesys_queues=("*",))
        await listener.ready()
        await eventually(lambda: listener.observer.reason is not None)
        assert f"missing permissions: {CONVERSATION_VIEW}" in listener.observer.reason
        told = [entry for entry in logged if entry["event"] == "genesys.topic.rejected"]
        assert {entry["topic"] for entry in told} == set(listener.source.topics)
        assert listener.observer.counts["topic_rejected"] == len(told)
        await listener.close()


async def test_a_refused_topic_is_told_and_the_others_are_heard(emulator, start, logged, eventually):
    listener = start(emulator, genesys_topics=("v2.nothing.{queue}.here", "v2.routing.queues.{queue}.conversations"))
    await listener.ready()
    refused = [entry["reason"] for entry in logged if entry["event"] == "genesys.topic.refused"]
    assert refused == ["is not among the organisation's available topics"]
    listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)


async def test_no_permission_to_see_queues_ends_the_source_with_its_name(start):
    async with GenesysEmulator(conversation_rate=0.0, permissions=set()) as emulator:
        listener = start(emulator)
        with pytest.raises(PermissionMissingError, match=QUEUE_VIEW):
            await asyncio.wait_for(listener.task, 60)
        await listener.close()


async def test_nothing_to_listen_to_is_a_trouble_not_an_end(emulator, start, eventually):
    listener = start(emulator, genesys_queues=("no such queue",))
    await eventually(lambda: listener.observer.reason is not None)
    assert listener.observer.reason == (
        "nothing to listen to: v2.routing.queues.{queue}.conversations "
        "means nothing yet: GENESYS_QUEUES names no queue that there is; "
        "GENESYS_QUEUES=no such queue names no queue that there is"
    )
    assert not listener.task.done()
    assert listener.channels["created"] == 0


async def test_channels_that_cannot_be_opened_are_a_trouble_until_they_can(emulator, start, eventually):
    emulator.faults = Faults(upgrade_status=404)
    listener = start(emulator)
    await eventually(lambda: listener.observer.reason is not None)
    assert listener.observer.reason == "no notification channel can be opened"
    emulator.faults = Faults()
    await listener.ready()
    await eventually(lambda: listener.observer.reason is None)
    assert listener.channels["created"] >= 2


async def test_a_server_that_is_down_is_waited_for_on_the_same_channel(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    emulator.faults = Faults(upgrade_status=503)
    emulator.cut()
    await eventually(lambda: listener.observer.counts["socket_reconnected"] >= 2)
    emulator.faults = Faults()
    await listener.ready()
    await eventually(lambda: listener.states() == ["open", "healed"])
    assert listener.channels["created"] == 1


async def test_an_evicted_channel_is_replaced(start, eventually):
    limits = ChannelLimits(channels=1)
    async with GenesysEmulator(
        conversation_rate=0.0, heartbeat_seconds=0.2, channel_limits=limits, api_limit=10_000
    ) as emulator:
        listener = start(emulator)
        await listener.ready()
        await ChannelClient(listener.rest).create()
        await eventually(lambda: listener.channels["evicted"] == 2)
        await listener.ready()
        assert listener.channels["created"] == 3
        await eventually(lambda: listener.states() == ["open", "healed"])
        await listener.close()
