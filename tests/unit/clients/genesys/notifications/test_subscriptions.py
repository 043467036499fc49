"""Tests that a channel's subscriptions are verified: notices in their real form, and topics lost without one."""

from pathlib import Path

import pytest

from clients.genesys.notifications.channel_api import ChannelClient
from emulators.genesys.faults import Faults
from tests.unit.clients.genesys.conftest import QUICK

CASES = Path(__file__).parents[4] / "cases" / "genesys"


@pytest.fixture(autouse=True)
def look_again_soon(monkeypatch):
    monkeypatch.setattr("clients.genesys.notifications.listening_plan.RECHECK_S", 0.2)


@pytest.fixture
async def listener(emulator, start, eventually):
    """One that has heard an event; the queues are looked at long after the test."""
    return await hearing(start(emulator), eventually)


async def hearing(listener, eventually):
    await listener.ready()
    await eventually(lambda: any(held(listener.emulator)))
    listener.say(listener.queue_topic(), listener.snapshot("first", "connected"))
    await eventually(lambda: len(listener.lines) == 1)
    return listener


def held(emulator):
    return [len(one["topics"]) for one in emulator.notifications.channels_as_json() if one["connected"]]


async def heard_again(listener, eventually):
    topic = listener.queue_topic()
    await eventually(
        lambda: listener.emulator.notifications.emit_notification(topic, listener.snapshot("last", "connected"))
    )
    await eventually(lambda: listener.events[-1]["eventBody"]["id"] == "last")


async def test_no_longer_subscribed_gives_the_channel_up_and_heals_the_gap(listener, eventually):
    troubles = []
    listener.observer._on_trouble = troubles.append
    assert listener.emulator.notifications.notify("no_longer_subscribed") == 1
    await eventually(lambda: listener.channels["created"] == 2)
    await heard_again(listener, eventually)
    await eventually(lambda: listener.states() == ["open", "healed"])
    assert troubles[0] == "Genesys sends nothing more to a channel: no longer subscribed"
    await eventually(lambda: troubles[-1] is None)
    assert listener.observer.counts["token_renewed"] == 1


async def test_the_notice_of_another_channels_id_is_believed_too(listener, eventually):
    """What ends a channel may name it in a form of its own: silence for hours would be worse than a new channel."""
    listener.emulator.notifications.emit_frame((CASES / "8" / "no-longer-subscribed.json").read_text())
    await eventually(lambda: listener.channels["created"] == 2)
    await heard_again(listener, eventually)


async def test_a_revoked_token_is_given_up_with_its_channel(listener, eventually):
    listener.emulator.notifications.notify("token_revoked")
    await eventually(lambda: listener.channels["created"] == 2)
    await heard_again(listener, eventually)
    await eventually(lambda: listener.states() == ["open", "healed"])
    assert listener.observer.counts["token_renewed"] == 2


async def test_topics_lost_without_a_word_are_found_at_the_next_look(emulator, start, eventually):
    listener = await hearing(start(emulator, genesys_queue_refresh=0.3), eventually)
    troubles = []
    listener.observer._on_trouble = troubles.append
    topics = sum(held(emulator))
    emulator.notifications.forget()
    assert sum(held(emulator)) == 0
    await heard_again(listener, eventually)
    await eventually(lambda: listener.states() == ["open", "healed"])
    assert sum(held(emulator)) == topics
    assert listener.channels["created"] == 1
    assert listener.observer.counts["topic_lost"] == topics
    await eventually(lambda: troubles and troubles[-1] is None)
    assert troubles[0] == f"{topics} of {topics} topics were no longer subscribed; what they missed is being fetched"


async def test_the_gap_of_lost_topics_begins_where_they_were_last_seen(emulator, start, eventually):
    listener = await hearing(start(emulator, genesys_queue_refresh=0.3), eventually)
    topic = listener.queue_topic()
    emulator.notifications.forget()
    (channel,) = list(emulator.notifications.channels)
    forgotten_ms = listener.rest.clock.wall_ms()
    await eventually(lambda: topic in channel.names)
    await eventually(lambda: listener.reports)
    interval = listener.reports[0].interval
    assert interval.start_ms + QUICK.margin_ms <= forgotten_ms <= interval.end_ms - QUICK.margin_ms


async def test_the_next_owner_begins_at_the_last_look_that_found_every_topic(emulator, start, eventually):
    listener = await hearing(start(emulator), eventually)
    looked_ms, heard_ms = listener.source.resume_ms, listener.source.position_ms
    emulator.notifications.forget()
    forgotten_ms = listener.rest.clock.wall_ms()
    await eventually(lambda: listener.source.position_ms > max(heard_ms, forgotten_ms))  # heartbeats come
    await listener.close()
    assert listener.source.resume_ms == looked_ms <= forgotten_ms
    following = start(emulator, options={"since_ms": listener.source.resume_ms})
    await eventually(lambda: following.states() == ["open", "healed"])
    interval = following.reports[0].interval
    assert interval.start_ms + QUICK.margin_ms == looked_ms
    assert interval.end_ms - QUICK.margin_ms >= forgotten_ms


async def test_what_a_channel_lost_before_it_was_left_is_a_gap(emulator, start, eventually):
    listener = await hearing(start(emulator, genesys_channel_rotate=1.0), eventually)
    emulator.notifications.forget()
    await eventually(lambda: "healed" in listener.states())
    assert listener.observer.counts["topic_lost"] > 0


async def test_a_new_queue_does_not_hide_what_was_lost(emulator, start, eventually):
    listener = await hearing(start(emulator, genesys_queue_refresh=0.3), eventually)
    emulator.notifications.forget()
    emulator.notifications.add_queue("Brand new")
    await eventually(lambda: listener.observer.counts["topic_lost"] > 0)
    await eventually(lambda: "healed" in listener.states())


@pytest.mark.parametrize("topic", ["v2.system.news.streaming-0-x", "v2.subscription.updated"])
async def test_any_notice_is_cause_for_a_look(listener, eventually, topic):
    listener.emulator.notifications.forget()
    listener.emulator.notifications.emit_frame(f'{{"topicName":"{topic}","eventBody":{{}}}}')
    await heard_again(listener, eventually)
    assert listener.channels["created"] == 1
    assert listener.observer.counts["frame_dropped"] == 1


async def test_a_server_that_does_not_tell_is_subscribed_again(emulator, start, eventually):
    faults = {"answers": ({"path": "/subscriptions", "status": 403, "method": "GET"},)}
    emulator.faults = Faults.model_validate(faults)
    listener = await hearing(start(emulator, genesys_queue_refresh=0.3), eventually)
    emulator.notifications.forget()
    await heard_again(listener, eventually)
    assert listener.observer.reason is None


async def test_a_topic_that_genesys_never_lists_is_no_gap_for_ever(emulator, start, eventually, monkeypatch):
    held, hides = ChannelClient.held, [True]

    async def not_the_first(self, channel):
        listed = await held(self, channel)
        return frozenset(sorted(listed)[1:]) if listed and hides else listed

    monkeypatch.setattr(ChannelClient, "held", not_the_first)
    listener = await hearing(start(emulator, genesys_queue_refresh=0.2), eventually)
    await eventually(lambda: listener.observer.counts["topic_lost"] == 2)
    await eventually(lambda: listener.observer.reason is None)
    looks = emulator.gate.requests.total()
    await eventually(lambda: emulator.gate.requests.total() > looks + 10)
    assert listener.observer.counts["topic_lost"] == 2
    hides.clear()
    emulator.notifications.forget()
    await eventually(lambda: listener.observer.counts["topic_lost"] > 2)


async def test_topics_forgotten_again_and_again_are_brought_back(emulator, start, eventually):
    listener = await hearing(start(emulator, genesys_queue_refresh=0.2), eventually)
    emulator.faults = Faults(forget_every_seconds=0.5)
    lost = sum(held(emulator))
    await eventually(lambda: listener.observer.counts["topic_lost"] >= 3 * lost)
    emulator.faults = Faults()
    await heard_again(listener, eventually)
