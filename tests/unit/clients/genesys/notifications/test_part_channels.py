"""Tests of a part's channels: as many as the topics need, and no topic unheard when they move; on the emulator."""

import time

import pytest


@pytest.fixture(autouse=True)
def _four_topics_a_channel(monkeypatch):
    monkeypatch.setattr("processors.genesys.topics.plan.TOPICS_PER_CHANNEL", 4)


def subscribed(emulator):
    channels = emulator.notifications.channels_as_json()
    return [topic for channel in channels if channel["connected"] for topic in channel["topics"]]


def all_topics(emulator):
    return sorted(f"v2.routing.queues.{queue}.conversations" for queue in emulator.notifications.directory.queues)


async def test_more_topics_than_one_channel_holds_are_heard_on_several(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready(sockets=3)
    await eventually(lambda: sorted(subscribed(emulator)) == all_topics(emulator))
    for number in range(9):
        listener.say(listener.queue_topic(number), listener.snapshot(f"c-{number}", "connected"))
    await eventually(lambda: len(listener.lines) == 9)
    assert listener.reports == []


async def test_the_position_is_that_of_the_channel_that_is_furthest_behind(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready(sockets=3)
    await eventually(lambda: len(listener.source._channels._positions) == 3)
    positions = listener.source._channels._positions
    await eventually(lambda: len(set(positions.values())) > 1)
    assert listener.source.position_ms == min(positions.values())


async def test_topics_that_move_to_another_channel_leave_a_gap_that_is_healed(emulator, start, eventually):
    parts = [start(emulator, part, 2, genesys_queues=("*",), genesys_queue_refresh=0.3) for part in range(2)]
    await parts[0].ready(sockets=3)
    before = {topic: part for part, listener in enumerate(parts) for topic in listener.source.topics}
    for number in range(4):
        emulator.notifications.add_queue(f"Another {number}")
    await parts[0].ready(sockets=4)
    await eventually(lambda: sorted(subscribed(emulator)) == all_topics(emulator))
    await eventually(lambda: all(listener.reports and not listener.source.unhealed for listener in parts))
    after = {topic: part for part, listener in enumerate(parts) for topic in listener.source.topics}
    assert any(after[topic] != part for topic, part in before.items()), "no topic has moved"
    for listener in parts:
        await eventually(lambda one=listener: one.states().count("open") == one.states().count("healed"))


async def test_what_a_new_queue_saw_before_it_was_found_is_fetched(emulator, start, eventually):
    listener = start(emulator, genesys_queue_refresh=1.0, genesys_queues=("New",))
    await eventually(lambda: listener.observer.reason is not None)
    asked = time.time() * 1000
    emulator.notifications.add_queue("New")
    await listener.ready()
    await eventually(lambda: listener.states() == ["open", "healed"])
    assert listener.reports[0].interval.start_ms <= asked <= listener.reports[0].interval.end_ms


async def test_a_part_without_topics_opens_no_channel_and_keeps_its_position_fresh(emulator, start, eventually):
    idle = start(emulator, 2, 4, genesys_queues=("Priority*",), genesys_queue_refresh=0.2)
    await eventually(lambda: idle.source.position_ms is not None)
    first = idle.source.position_ms
    await eventually(lambda: idle.source.position_ms > first)
    assert idle.channels["created"] == 0
    assert idle.reports == []
