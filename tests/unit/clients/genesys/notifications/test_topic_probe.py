"""Tests of finding out what Genesys would reject, on the emulator."""

from clients.genesys.notifications.channel_api import ChannelClient
from clients.genesys.notifications.topic_probe import tried
from emulators.genesys.access.permissions import QUEUE_VIEW, USER_VIEW

USER = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


async def test_parts_of_a_combined_topic_are_rejected_by_themselves(emulator, idle_listener):
    emulator.permissions.granted = frozenset({QUEUE_VIEW, USER_VIEW})
    shares = [(f"{USER}?conversations&presence",), (), (idle_listener.queue_topic(),)]
    rejected = await tried(idle_listener.rest, shares)
    assert {one.topic: one.permissions for one in rejected} == {
        f"{USER}.conversations": ("conversation:communication:view",),
        idle_listener.queue_topic(): ("conversation:communication:view",),
    }
    assert [channel["topics"] for channel in emulator.notifications.channels_as_json()] == [[]]


async def test_there_is_no_trial_where_it_would_evict_a_channel(emulator, idle_listener):
    channels = ChannelClient(idle_listener.rest)
    for _ in range(20):
        await channels.create()
    assert await channels.number() == 20
    assert await tried(idle_listener.rest, [(idle_listener.queue_topic(),)]) is None
    assert emulator.notifications.as_json()["channels"]["evicted"] == 0
