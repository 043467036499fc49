"""This module tests the simulated contact centre: repeatable, in order, each story told to its end."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import chain, pairwise

import pytest

from emulators.genesys.contact_centre.analytics import DetailsQuery, answer
from emulators.genesys.contact_centre.conversations import Occurrence, Simulator
from emulators.genesys.contact_centre.details import DETAIL_EVENTS
from emulators.genesys.contact_centre.directory import Directory
from emulators.genesys.notifications.payloads import MEDIA_SUFFIX, notifications, snapshot
from emulators.genesys.notifications.topics import FAMILIES, UUID_PATTERN
from processors.genesys.analytics.snapshots import EVER, snapshots
from processors.genesys.steps.memory import StepMemory
from tests.genesys_models.shapes import departures

ANY_ID = re.compile(UUID_PATTERN)
START_MS = 1_795_428_000_000


def run(seconds: int, seed: int = 1, rate: float = 20.0, step_ms: int = 20) -> tuple[Simulator, list[Occurrence]]:
    """Arrivals for `seconds`, then as long as it takes until every conversation is over."""
    directory = Directory()
    simulator = Simulator(list(directory.queues.values()), list(directory.users.values()), rate, seed)
    steps: list[Occurrence] = []
    now = START_MS
    for now in range(START_MS, START_MS + seconds * 1000, step_ms):
        steps += chain.from_iterable(simulator.advance(now))
    simulator.rate = 0
    return simulator, [*steps, *chain.from_iterable(simulator.advance(now + 10_000_000))]


def test_same_seed_tells_the_same_story() -> None:
    assert run(5, seed=3)[1] == run(5, seed=3)[1]
    assert run(5, seed=3)[1] != run(5, seed=4)[1]


def test_arrivals_come_at_the_rate() -> None:
    simulator, _ = run(60, rate=10)
    assert 500 <= len(simulator.conversations) <= 700


def test_every_conversation_begins_queues_and_ends() -> None:
    simulator, steps = run(30)
    stories: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        stories[step.conversation.id].append(step.event)
    assert stories.keys() == simulator.conversations.keys()
    for story in stories.values():
        assert story[0] == "customer.start"
        assert story.count("customer.end") == 1
        assert story.count("acd.start") == story.count("acd.end") >= 1
        assert story.count("user.start") == story.count("user.end")
    assert all(one.ended_ms is not None for one in simulator.conversations.values())
    assert set().union(*stories.values()) == set(DETAIL_EVENTS)


def test_time_of_a_conversation_never_runs_back() -> None:
    _, steps = run(20)
    times: dict[str, list[int]] = defaultdict(list)
    for step in steps:
        times[step.conversation.id].append(step.at_ms)
    assert all(earlier <= later for each in times.values() for earlier, later in pairwise(each))


def test_a_queue_added_at_run_time_is_entered() -> None:
    directory = Directory()
    simulator = Simulator(list(directory.queues.values()), list(directory.users.values()), 50.0)
    list(simulator.advance(START_MS))
    added = directory.add_queue("New Queue")
    simulator.queues.append(added)
    steps = list(chain.from_iterable(simulator.advance(START_MS + 20_000)))
    assert added.id in {step.participant.queue_id for step in steps}


@pytest.mark.parametrize("event", DETAIL_EVENTS)
def test_detail_events_carry_what_the_models_say(event: str) -> None:
    step = next(one for one in run(30)[1] if one.event == event)
    topic, build = next(notifications(step))
    body = build()
    assert topic == f"v2.detail.events.conversation.{step.conversation.id}.{event}"
    assert body["conversationId"] == step.conversation.id
    assert body["eventTime"] == step.at_ms
    if event == "attributes":
        assert "mediaType" not in body
        return
    assert body["mediaType"] == step.conversation.media.upper()
    assert ("routingPriority" in body) is event.startswith("acd.")
    assert ("queueId" in body) is not event.startswith("customer.")
    assert "queueName" not in body


def test_every_event_is_of_the_shape_that_the_sdk_has_for_its_topic() -> None:
    templates: set[str] = set()
    for step in run(8)[1]:
        for topic, build in notifications(step):
            template = ANY_ID.sub("{id}", topic)
            assert departures(template, build()) == [], template
            templates.add(template)
    assert templates <= {family.template for family in FAMILIES}
    assert len(templates) > 20


@pytest.mark.parametrize(
    ("media", "state"), [("voice", "terminated"), ("chat", "disconnected"), ("email", "disconnected")]
)
def test_what_is_not_so_yet_is_not_there(media: str, state: str) -> None:
    stories = [one for one in run(60)[1] if one.conversation.media == media]
    first = next(one for one in stories if one.event == "customer.start")
    [customer] = snapshot(first.conversation)["participants"]  # type: ignore[misc]
    assert {"startTime", "endTime", "queueId", "userId"}.isdisjoint(customer)
    [session] = customer[MEDIA_SUFFIX[media]]
    assert session["state"] == "connected"
    assert {"disconnectedTime", "disconnectType"}.isdisjoint(session)
    last = next(one for one in stories if one.event == "customer.end")
    ended = snapshot(last.conversation)["participants"][0]  # type: ignore[index]
    assert ended["endTime"] == ended[MEDIA_SUFFIX[media]][0]["disconnectedTime"]
    assert ended[MEDIA_SUFFIX[media]][0]["state"] == state
    assert ("queueId" in ended) is (media == "chat")


def test_snapshots_show_the_conversation_in_both_forms() -> None:
    step = next(one for one in run(30)[1] if one.event == "user.end" and one.conversation.media == "voice")
    heard = {topic: build() for topic, build in notifications(step)}
    agent, acd = step.participant, step.conversation.last("acd")
    flat = heard[f"v2.routing.queues.{acd.queue_id}.conversations"]
    nested = heard[f"v2.routing.queues.{acd.queue_id}.conversations.{MEDIA_SUFFIX['voice']}"]
    by_purpose = {one["purpose"]: one for one in flat["participants"]}  # type: ignore[attr-defined]
    assert by_purpose["agent"]["userId"] == agent.user_id
    assert by_purpose["acd"]["name"] == acd.name
    assert by_purpose["acd"]["conversationRoutingData"]["priority"] == step.conversation.priority
    assert "conversationRoutingData" not in by_purpose["customer"]
    assert by_purpose["agent"]["calls"][0]["state"] == "terminated"
    by_purpose = {one["purpose"]: one for one in nested["participants"]}  # type: ignore[attr-defined]
    assert by_purpose["agent"]["user"] == {"id": agent.user_id}
    assert by_purpose["acd"]["queue"] == {"id": acd.queue_id}
    assert by_purpose["agent"]["disconnectType"] == str(agent.disconnect_type).lower()
    assert heard[f"v2.users.{agent.user_id}.presence"]["source"] == "PURECLOUD"
    assert f"v2.users.{agent.user_id}.conversations" in heard


def test_what_is_heard_and_what_the_query_tells_are_the_same_steps_alerts_and_after_call_work_among_them() -> None:
    simulator, steps = run(20, rate=5)
    topics = {f"v2.routing.queues.{queue.id}.conversations" for queue in simulator.queues}
    heard, told = StepMemory(), StepMemory()
    live = [
        derived
        for step in steps
        for topic, build in notifications(step)
        if topic in topics
        for derived in heard.take({"topicName": topic, "eventBody": build()}, step.at_ms)
    ]
    query = DetailsQuery(0, EVER.end_ms, False, 1000, 1, (), ())
    conversations = answer(simulator.conversations.values(), query)["conversations"]
    queried = [
        derived
        for one in conversations  # type: ignore[attr-defined]
        for snapshot in snapshots(one, EVER, topics)
        for derived in told.take(snapshot.envelope, snapshot.moment_ms)
    ]
    assert {step.id for step in live if step.name != "attributes"} == {step.id for step in queried}
    assert len({step.id for step in live}) == len(live)
    names = {step.name for step in live}
    assert names >= {"acd.start", "acd.end", "user.start", "user.end", "acw.start", "acw.end", "wrapup", "transfer"}
    alerts = [step for step in live if step.name == "user.start"]
    assert alerts
    assert not any(step.is_timed for step in alerts)
