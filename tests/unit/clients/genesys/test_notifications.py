"""Tests of the notification source on the emulator: over rotations, cuts, gaps and bad frames."""

import asyncio
import json
import time
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from clients.genesys.errors import PermissionMissingError
from clients.genesys.notifications import NotificationSource
from clients.genesys.observer import Observer
from clients.genesys.rest import GenesysRest
from emulators.genesys import GenesysEmulator
from emulators.genesys.channels import ChannelLimits
from emulators.genesys.permissions import CONVERSATION_VIEW, DETAIL_VIEW, QUEUE_VIEW
from processors.conversation import Interval
from processors.lines import OversizedLine
from streams.settings import Settings


async def eventually(condition, seconds=20.0):
    """Wait for a condition that other tasks bring about over real sockets."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the condition never came true")


class Listener:
    """A source on an emulator, read by a task; `lines` are what it gave."""

    def __init__(self, emulator, **settings) -> None:
        self.emulator = emulator
        self.observer = Observer()
        self.rest = GenesysRest(
            emulator.url,
            emulator.url,
            emulator.client_id,
            SecretStr(emulator.client_secret),
            observer=self.observer,
        )
        defaults = {"genesys_heartbeat_timeout": 5.0, "genesys_channel_overlap": 0.2}
        self.settings = Settings(**(defaults | settings))
        self.lines: list[bytes | OversizedLine] = []
        self.reports = []
        self.source: NotificationSource
        self.task: asyncio.Task[None]

    def listen(self, shard=0, shards=1, **options):
        self.source = NotificationSource(
            self.rest, self.settings, shard, shards, self._on_gap, passes=(0.1, 0.2), **options
        )
        self.task = asyncio.create_task(self._read())
        return self

    async def _on_gap(self, report):
        self.reports.append(report)

    async def _read(self):
        async with aclosing(self.source.frames()) as frames:
            async for line in frames:
                self.lines.append(line)

    async def close(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.rest.aclose()

    @property
    def events(self):
        return [json.loads(line) for line in self.lines if isinstance(line, bytes) and line.startswith(b"{")]

    @property
    def channels(self):
        return self.emulator.notifications.as_json()["channels"]

    @property
    def sockets(self):
        return self.emulator.notifications.as_json()["sockets"]

    async def ready(self, sockets=1):
        await eventually(lambda: self.sockets == sockets or self.task.done())
        assert not self.task.done(), self.task.exception()

    def say(self, topic, body):
        assert self.emulator.emit_notification(topic, body) >= 1

    def queue_topic(self, number=0):
        return f"v2.routing.queues.{list(self.emulator.notifications.directory.queues)[number]}.conversations"

    def states(self):
        return [report.state for report in self.reports]


@pytest.fixture
async def emulator():
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, api_limit=10_000) as running:
        yield running


@pytest.fixture
async def start():
    started = []

    def begin(emulator, shard=0, shards=1, options=None, **settings):
        listener = Listener(emulator, **settings).listen(shard, shards, **(options or {}))
        started.append(listener)
        return listener

    yield begin
    for listener in started:
        await listener.close()


def snapshot(conversation, *states):
    participants = [
        {"id": f"p{number}", "purpose": "agent", "calls": [{"state": state}]}
        for number, state in enumerate(states)
    ]
    return {"id": conversation, "participants": participants}


async def test_events_arrive_whole_with_the_queue_named(emulator, start):
    listener = start(emulator)
    await listener.ready()
    topic = listener.queue_topic()
    listener.say(topic, snapshot("c-1", "connected"))
    await eventually(lambda: listener.lines)
    (event,) = listener.events
    queue = next(iter(emulator.notifications.directory.queues.values()))
    assert event.pop("queue") == {"id": queue.id, "name": queue.name}
    assert set(event) == {"topicName", "version", "eventBody", "metadata"}
    assert event["eventBody"] == snapshot("c-1", "connected")


async def test_heartbeats_are_no_events_but_move_the_position(emulator, start):
    before = time.time() * 1000
    listener = start(emulator)
    await listener.ready()
    await eventually(lambda: (listener.source.position_ms or 0) > before)
    assert listener.lines == []


async def test_repeated_and_unchanged_frames_are_dropped_and_counted(emulator, start):
    listener = start(emulator)
    await listener.ready()
    topic = listener.queue_topic()
    for body in (
        snapshot("c-1", "alerting"),
        snapshot("c-1", "alerting"),
        {**snapshot("c-1", "alerting"), "attributes": {"new": "value"}},
        snapshot("c-1", "connected"),
    ):
        listener.say(topic, body)
    await eventually(lambda: len(listener.lines) == 2)
    states = [event["eventBody"]["participants"][0]["calls"][0]["state"] for event in listener.events]
    assert states == ["alerting", "connected"]
    assert listener.observer.counts["frame_duplicate"] == 1
    assert listener.observer.counts["frame_unchanged"] == 1


async def test_unchanged_snapshots_pass_when_asked_for(emulator, start):
    listener = start(emulator, genesys_drop_unchanged=False)
    await listener.ready()
    listener.say(listener.queue_topic(), snapshot("c-1", "alerting"))
    listener.say(listener.queue_topic(), {**snapshot("c-1", "alerting"), "attributes": {"new": "value"}})
    await eventually(lambda: len(listener.lines) == 2)


async def test_bad_frames_go_on_or_are_counted_and_the_socket_stays_up(emulator, start):
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
        emulator.emit_frame(frame)
    listener.say(listener.queue_topic(), snapshot("last", "connected"))
    await eventually(lambda: len(listener.lines) == 8)
    assert json.loads(listener.lines[-1])["eventBody"]["id"] == "last"
    kept = [line if isinstance(line, bytes) else line.size for line in listener.lines[:-1]]
    assert kept == [b'{"topicName":', b"\x00\xff", b"[1,2]", b"", 10_000_000,
                    b'{"topicName":"v2.unheard.of","eventBody":{}}', b'{"no":"ids"}']  # fmt: skip
    assert listener.observer.counts["frame_dropped"] == 2
    assert listener.observer.counts["socket_reconnected"] == 0


async def test_a_channel_is_replaced_before_its_age_without_a_gap(emulator, start):
    listener = start(emulator, genesys_channel_rotate=0.5, genesys_channel_overlap=0.2)
    await listener.ready()
    said = 0
    while listener.channels["created"] < 4:
        said += 1
        listener.say(listener.queue_topic(), snapshot(f"c-{said}", "connected"))
        await asyncio.sleep(0.02)
    await eventually(lambda: len(listener.lines) == said)
    assert [event["eventBody"]["id"] for event in listener.events] == [f"c-{n}" for n in range(1, said + 1)]
    assert listener.observer.counts["frame_duplicate"] > 0, "the channels never ran side by side"
    assert listener.reports == []
    emptied = [one for one in emulator.notifications.channels_as_json() if not one["connected"]]
    assert len(emptied) >= 2
    assert all(one["topics"] == [] for one in emptied)


async def test_a_channel_is_left_before_its_life_ends(start):
    limits = ChannelLimits(life_seconds=1.5)
    async with GenesysEmulator(
        conversation_rate=0.0, heartbeat_seconds=0.2, channel_limits=limits
    ) as emulator:
        listener = start(emulator, genesys_channel_overlap=0.05)
        await listener.ready()
        await eventually(lambda: listener.channels["created"] >= 3)
        assert listener.reports == []
        await listener.close()


async def test_a_closing_notice_brings_the_next_channel_at_once(emulator, start):
    listener = start(emulator)
    await listener.ready()
    emulator.emit_frame('{"topicName":"v2.system.socket_closing","eventBody":{"message":"soon"}}')
    await eventually(lambda: listener.channels["created"] == 2)
    await eventually(lambda: listener.sockets == 1 and listener.observer.counts["channel_created"] == 2)
    listener.say(listener.queue_topic(), snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)
    assert listener.reports == []


async def test_a_lost_channel_is_replaced_and_the_gap_told(emulator, start):
    listener = start(emulator)
    await listener.ready()
    emulator.revoke_tokens()  # Genesys drops the channels of a token that is no more
    await eventually(lambda: listener.channels["created"] == 2)
    await listener.ready()
    await eventually(lambda: listener.states() == ["open", "healed"])
    listener.say(listener.queue_topic(), snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)


async def test_what_a_cut_hides_is_fetched_and_marked(start):
    async with GenesysEmulator(
        conversation_rate=30.0, pace=0.1, heartbeat_seconds=0.2, api_limit=10_000
    ) as emulator:
        listener = start(emulator)
        await listener.ready()
        await eventually(lambda: len(listener.lines) > 10)
        emulator.cut()
        await eventually(lambda: listener.observer.counts["gap_opened"] == 1)
        await eventually(lambda: listener.states() == ["open", "healed"])
        emulator.notifications.simulator.rate = 0
        known = set(emulator.notifications.simulator.conversations)
        seen = {event["eventBody"]["id"] for event in listener.events}
        missed = set(emulator.notifications.tally.missed) & known
        await eventually(lambda: missed <= {event["eventBody"]["id"] for event in listener.events})
        assert seen
        backfilled = [event for event in listener.events if event.get("backfilled")]
        assert len(backfilled) == listener.observer.counts["event_backfilled"]
        assert all("queue" in event for event in backfilled)
        ids = [
            json.dumps([event["topicName"], event["eventBody"]], sort_keys=True) for event in listener.events
        ]
        assert len(ids) == len(set(ids)), "an event came twice"
        await listener.close()


async def test_a_gap_that_an_earlier_owner_left_is_healed(emulator, start):
    now = int(time.time() * 1000)
    listener = start(
        emulator, options={"since_ms": now - 60_000, "gaps": [Interval(now - 200_000, now - 190_000)]}
    )
    await eventually(lambda: sorted(listener.states()) == ["healed", "healed", "open"])
    announced = next(report for report in listener.reports if report.state == "open")
    assert announced.interval.start_ms == now - 65_000
    assert announced.interval.end_ms >= now
    healed = {report.interval for report in listener.reports if report.state == "healed"}
    assert healed == {announced.interval, Interval(now - 200_000, now - 190_000)}


async def test_a_gap_that_cannot_be_filled_is_told_lost_at_its_age(start):
    granted = {QUEUE_VIEW, CONVERSATION_VIEW}
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, permissions=granted) as emulator:
        past = int(time.time() * 1000) - 10_000
        listener = start(
            emulator, genesys_backfill_max_age=1.0, options={"gaps": [Interval(past - 1_000, past)]}
        )
        await eventually(lambda: listener.states() == ["lost"])
        later = Interval(past, int(time.time() * 1000) + 500)
        listener.source._healer.add(later, announced=True)
        await eventually(lambda: listener.states() == ["lost", "lost"])
        assert DETAIL_VIEW in listener.reports[-1].reason
        assert listener.observer.counts["gap_lost"] == 2
        await listener.close()


async def test_gaps_are_told_even_when_backfill_is_off(emulator, start):
    listener = start(emulator, genesys_backfill=False)
    await listener.ready()
    emulator.cut()
    await eventually(lambda: listener.states() == ["open", "lost"])
    assert listener.reports[-1].reason == "GENESYS_BACKFILL is off"


async def test_a_new_queue_is_picked_up(emulator, start):
    listener = start(emulator, genesys_queue_refresh=0.1)
    await listener.ready()
    queue = emulator.add_queue("Brand new")
    topic = f"v2.routing.queues.{queue.id}.conversations"
    await eventually(lambda: any(topic in one["topics"] for one in emulator.notifications.channels_as_json()))
    listener.say(topic, snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)
    assert listener.events[0]["queue"]["name"] == "Brand new"
    assert listener.channels["created"] == 1


async def test_shards_share_the_topics_without_overlap(emulator, start):
    listeners = [start(emulator, shard, 3, genesys_shards=3) for shard in range(3)]
    await eventually(lambda: all(listener.source.topics for listener in listeners), seconds=5)
    topics = [topic for listener in listeners for topic in listener.source.topics]
    assert sorted(topics) == sorted(
        f"v2.routing.queues.{queue}.conversations" for queue in emulator.notifications.directory.queues
    )


async def test_rejected_topics_are_told_with_what_is_missing(start, logged):
    async with GenesysEmulator(conversation_rate=0.0, permissions={QUEUE_VIEW}) as emulator:
        listener = start(emulator, genesys_queues=("*",))
        await listener.ready()
        await eventually(lambda: listener.observer.reason is not None)
        assert f"missing permissions: {CONVERSATION_VIEW}" in listener.observer.reason
        told = [entry for entry in logged if entry["event"] == "genesys.topic.rejected"]
        assert {entry["topic"] for entry in told} == set(listener.source.topics)
        assert listener.observer.counts["topic_rejected"] == len(told)
        await listener.close()


async def test_a_refused_topic_is_told_and_the_others_are_heard(emulator, start, logged):
    listener = start(
        emulator, genesys_topics=("v2.nothing.{queue}.here", "v2.routing.queues.{queue}.conversations")
    )
    await listener.ready()
    refused = [entry["reason"] for entry in logged if entry["event"] == "genesys.topic.refused"]
    assert refused == ["is not among the organisation's available topics"]
    listener.say(listener.queue_topic(), snapshot("c-1", "connected"))
    await eventually(lambda: len(listener.lines) == 1)


async def test_no_permission_to_see_queues_ends_the_source_with_its_name(start):
    async with GenesysEmulator(conversation_rate=0.0, permissions=set()) as emulator:
        listener = start(emulator)
        with pytest.raises(PermissionMissingError, match=QUEUE_VIEW):
            await asyncio.wait_for(listener.task, 10)
        await listener.close()


async def test_nothing_to_listen_to_is_a_trouble_not_an_end(emulator, start):
    listener = start(emulator, genesys_queues=("no such queue",))
    await eventually(lambda: listener.observer.reason is not None)
    assert listener.observer.reason == "nothing to listen to: no queue matches"
    assert not listener.task.done()
    assert listener.channels["created"] == 0


async def test_a_consumer_that_does_not_pull_loses_nothing(emulator):
    listener = Listener(emulator)
    source = NotificationSource(listener.rest, listener.settings, 0, 1)
    async with listener.rest, aclosing(source.frames()) as frames:
        first = asyncio.create_task(anext(frames))
        await eventually(lambda: listener.sockets == 1)
        topic = listener.queue_topic()
        for number in range(3_000):
            listener.say(topic, snapshot(f"c-{number}", "connected"))
        taken = [json.loads(await first)]
        await asyncio.sleep(0.3)
        assert len(source._inbox._items) <= 64
        while len(taken) < 3_000:
            taken.append(json.loads(await anext(frames)))
        assert [one["eventBody"]["id"] for one in taken] == [f"c-{number}" for number in range(3_000)]
