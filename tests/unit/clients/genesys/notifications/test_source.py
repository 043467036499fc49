"""Tests of the frames that the notification source gives, on the emulator."""

import asyncio
import json
import time
from contextlib import aclosing

from clients.genesys.notifications.source import NotificationSource
from tests.unit.clients.genesys import unpacking


async def test_events_arrive_whole_with_the_queue_named(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    topic = listener.queue_topic()
    listener.say(topic, listener.snapshot("c-1", "connected"))
    await eventually(lambda: listener.lines)
    (event,) = listener.events
    queue = next(iter(emulator.notifications.directory.queues.values()))
    assert event.pop("queue") == {"id": queue.id, "name": queue.name}
    assert set(event) == {"topicName", "version", "eventBody", "metadata"}
    assert event["eventBody"] == listener.snapshot("c-1", "connected")


async def test_heartbeats_are_no_events_but_move_the_position(emulator, start, eventually):
    before = time.time() * 1000
    listener = start(emulator)
    await listener.ready()
    await eventually(lambda: (listener.source.position_ms or 0) > before)
    assert listener.lines == []


async def test_repeated_and_unchanged_frames_are_dropped_and_counted(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    topic = listener.queue_topic()
    for body in (
        listener.snapshot("c-1", "alerting"),
        listener.snapshot("c-1", "alerting"),
        {**listener.snapshot("c-1", "alerting"), "attributes": {"new": "value"}},
        listener.snapshot("c-1", "connected"),
    ):
        listener.say(topic, body)
    await eventually(lambda: len(listener.lines) == 2)
    states = [event["eventBody"]["participants"][0]["calls"][0]["state"] for event in listener.events]
    assert states == ["alerting", "connected"]
    assert listener.observer.counts["frame_duplicate"] == 1
    assert listener.observer.counts["frame_unchanged"] == 1


async def test_unchanged_snapshots_pass_when_asked_for(emulator, start, eventually):
    listener = start(emulator, genesys_drop_unchanged=False)
    await listener.ready()
    listener.say(listener.queue_topic(), listener.snapshot("c-1", "alerting"))
    listener.say(listener.queue_topic(), {**listener.snapshot("c-1", "alerting"), "attributes": {"new": "value"}})
    await eventually(lambda: len(listener.lines) == 2)


async def test_bad_frames_go_on_or_are_counted_and_the_socket_stays_up(emulator, start, eventually):
    listener = start(emulator)
    await listener.ready()
    frames = [
        '{"topicName":',
        b"\x00\xff",
        "[1,2]",
        "",
        "x" * 10_000_000,
        '{"topicName":"v2.system.news"}',
        '{"result":"400","status":"error"}',
        '{"topicName":"v2.unheard.of","eventBody":{}}',
        '{"no":"ids"}',
    ]
    for frame in frames:
        emulator.notifications.emit_frame(frame)
    listener.say(listener.queue_topic(), listener.snapshot("last", "connected"))
    await eventually(lambda: len(listener.lines) == 8)
    assert json.loads(listener.lines[-1])["eventBody"]["id"] == "last"
    kept = [line if isinstance(line, bytes) else line.size for line in listener.lines[:-1]]
    assert kept == [b'{"topicName":', b"\x00\xff", b"[1,2]", b"", 10_000_000,
                    b'{"topicName":"v2.unheard.of","eventBody":{}}', b'{"no":"ids"}']  # fmt: skip
    assert listener.observer.counts["frame_dropped"] == 2
    assert listener.observer.counts["socket_reconnected"] == 0


async def test_a_consumer_that_does_not_pull_loses_nothing(idle_listener, eventually):
    listener = idle_listener
    source = NotificationSource(listener.rest, listener.settings, 0, 1)
    async with aclosing(unpacking.lines(source)) as frames:
        first = asyncio.create_task(anext(frames))
        await eventually(lambda: listener.sockets == 1)
        topic = listener.queue_topic()
        for number in range(3_000):
            listener.say(topic, listener.snapshot(f"c-{number}", "connected"))
        taken = [json.loads(await first)]
        await asyncio.sleep(0.3)
        assert len(source._mailbox._items) <= 64
        while len(taken) < 3_000:
            taken.append(json.loads(await anext(frames)))
        assert [one["eventBody"]["id"] for one in taken] == [f"c-{number}" for number in range(3_000)]
