"""Tests of gaps: told, filled from the analytics query, given up at their age; on the emulator."""

import asyncio
import json
import time
from contextlib import aclosing

import httpx

from clients.genesys.notifications.gap_healer import GapHealer, GapTimes
from clients.genesys.notifications.source import NotificationSource
from emulators.genesys import GenesysEmulator
from emulators.genesys.access.permissions import CONVERSATION_VIEW, DETAIL_VIEW, QUEUE_VIEW
from processors.genesys.interval import Interval
from tests.unit.clients.genesys.conftest import QUICK


async def test_what_a_cut_hides_is_fetched_and_marked(start, eventually):
    async with GenesysEmulator(conversation_rate=30.0, pace=0.1, heartbeat_seconds=0.2, api_limit=10_000) as emulator:
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
        ids = [json.dumps([event["topicName"], event["eventBody"]], sort_keys=True) for event in listener.events]
        assert len(ids) == len(set(ids)), "an event came twice"
        await listener.close()


async def test_a_gap_that_an_earlier_owner_left_is_healed(emulator, start, eventually):
    now = int(time.time() * 1000)
    listener = start(emulator, options={"since_ms": now - 60_000, "gaps": [Interval(now - 200_000, now - 190_000)]})
    await eventually(lambda: sorted(listener.states()) == ["healed", "healed", "open"])
    announced = next(report for report in listener.reports if report.state == "open")
    assert announced.interval.start_ms == now - 60_000 - QUICK.margin_ms
    assert announced.interval.end_ms >= now
    healed = {report.interval for report in listener.reports if report.state == "healed"}
    assert healed == {announced.interval, Interval(now - 200_000, now - 190_000)}


async def test_a_gap_that_cannot_be_filled_is_told_lost_at_its_age(start, eventually):
    granted = {QUEUE_VIEW, CONVERSATION_VIEW}
    async with GenesysEmulator(conversation_rate=0.0, heartbeat_seconds=0.2, permissions=granted) as emulator:
        past = int(time.time() * 1000) - 10_000
        listener = start(emulator, genesys_backfill_max_age=1.0, options={"gaps": [Interval(past - 1_000, past)]})
        await eventually(lambda: listener.states() == ["lost"])
        later = Interval(past, int(time.time() * 1000) + 500)
        listener.source._healer.add(later)
        await eventually(lambda: listener.states() == ["lost", "lost"])
        assert DETAIL_VIEW in listener.reports[-1].reason
        assert listener.observer.counts["gap_lost"] == 2
        await listener.close()


async def test_a_gap_of_topics_that_the_query_does_not_tell_is_healed_in_part_only(emulator, start, eventually):
    topics = ("v2.routing.queues.{queue}.conversations", "v2.users.{user}.presence")
    listener = start(emulator, genesys_topics=topics, genesys_users=("Ada*",))
    await listener.ready()
    emulator.cut()
    await eventually(lambda: listener.states() == ["open", "partly healed"])
    assert listener.reports[-1].reason == "the analytics query does not report what v2.users.{id}.presence bring"
    assert listener.observer.counts["gap_partly_healed"] == 1
    assert listener.observer.counts["gap_healed"] == 0


async def test_a_gap_of_nothing_that_the_query_tells_is_lost_at_once(emulator, start, eventually):
    listener = start(emulator, genesys_topics=("v2.users.{user}.presence",), genesys_users=("Ada*",))
    await listener.ready()
    emulator.cut()
    await eventually(lambda: listener.states() == ["open", "lost"])
    assert "v2.users.{id}.presence" in listener.reports[-1].reason
    assert listener.source.unhealed == ()


async def test_gaps_are_told_even_when_backfill_is_off(emulator, start, eventually):
    listener = start(emulator, genesys_backfill=False)
    await listener.ready()
    emulator.cut()
    await eventually(lambda: listener.states() == ["open", "lost"])
    assert listener.reports[-1].reason == "GENESYS_BACKFILL is off"


async def test_a_gap_is_told_before_the_frames_that_follow_it(idle_listener, eventually):
    listener = idle_listener
    order = []

    async def on_gap(report):
        order.append(report.state)

    source = NotificationSource(
        listener.rest, listener.settings, 0, 1, on_gap, since_ms=int(time.time() * 1000) - 60_000
    )
    async with aclosing(source.batches()) as batches:
        first = asyncio.create_task(anext(batches))
        await eventually(lambda: listener.sockets == 1)
        listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
        order.append(len(await first))
        assert order == ["open", 1]


async def test_the_position_stays_until_a_batch_is_settled(idle_listener, eventually):
    listener = idle_listener
    source = NotificationSource(listener.rest, listener.settings, 0, 1)
    async with aclosing(source.batches()) as batches:
        first = asyncio.create_task(anext(batches))
        await eventually(lambda: listener.sockets == 1)
        await eventually(lambda: source.position_ms is not None)  # a heartbeat
        listener.say(listener.queue_topic(), listener.snapshot("c-1", "connected"))
        await first
        held = source.position_ms
        await eventually(lambda: source._mailbox._items)  # a heartbeat came after it
        assert source.position_ms == held
        second = asyncio.create_task(anext(batches))
        await eventually(lambda: source.position_ms > held)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_a_gap_is_asked_for_some_seconds_after_its_end_and_again_later(rest, server, fake_time, until):
    asked_s, now_s = [], fake_time.now

    def answer(request):
        asked_s.append(fake_time.now - now_s)
        return httpx.Response(200, json={})

    server.answers = [answer]
    reports = []

    async def report(one):
        reports.append(one.state)

    healer = GapHealer(
        rest,
        0,
        topics=lambda: ["v2.routing.queues.q.conversations"],
        put=report,
        report=report,
        max_age=600,
        times=GapTimes(passes=(6.0, 60.0)),
    )
    now_ms = rest.clock.wall_ms()
    healer.add(Interval(now_ms - 60_000, now_ms + GapTimes().margin_ms))  # it ends in the future
    task = asyncio.create_task(healer.run())
    await until(lambda: reports)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert reports == ["healed"]
    assert asked_s == [11.0, 65.0]
