"""Events of every topic that Genesys' SDK knows, each field absent, null and present, go the way of a source's event.

None fails, none makes anything crash; what is taken and what is left, its key and its id are right.
"""

from functools import cache
from pathlib import Path

import orjson
import pytest

from processors.event.identity import SNAPSHOT_TOPIC, derive_event_id, event_of_bytes
from processors.event.intake import taken_in
from processors.genesys.frames import queue_id, read_frame
from processors.genesys.states import state_of
from processors.genesys.steps.memory import StepMemory
from processors.routes.outcome import Filtered, Mapped
from processors.routes.route import compile_route
from processors.routes.routes import Raw, Routes, outcomes_of, route_event
from streams.routes.folder import read_routes
from tests.genesys_models.shapes import departures, facts, topics
from tests.genesys_models.variations import variations

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
RECEIVED_MS, RECEIVED = 1_795_428_600_000, "2026-11-23T10:10:00.000Z"

#: Topic -> the route that takes its events, where it tells what they are about.
TAKEN = {
    "v2.users.{id}.activity": "agent-status",
    "v2.users.{id}.presence": "agent-status",
    "v2.users.{id}.routingStatus": "agent-status",
    "v2.detail.events.agent.{id}.state": "agent-status",
    "v2.analytics.queues.{id}.observations": "queue-observations",
    "v2.analytics.queues.{id}.activity": "queue-observations",
    "v2.analytics.conversation.{id}.metrics": "conversation-metrics",
    "v2.taskmanagement.workitems.{id}": "workitem",
    "v2.taskmanagement.workitems.queues.{id}": "workitem",
    "v2.taskmanagement.workitems.users.{id}": "workitem",
}


@cache
def shipped():
    """The shipped routes."""
    return Routes(compile_route(texts) for texts in read_routes(SCHEMAS))


def taken(frame):
    (found,) = taken_in([orjson.dumps(frame)], RECEIVED_MS, 10_000_000)
    return found


def routed(found):
    outcomes = outcomes_of(shipped(), event_of_bytes(found.value)).values()
    return [one for one in outcomes if not isinstance(one, Filtered)]


def within(body, path):
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def key_of(variation):
    """The first of what keys the topic that is there, as the facts have it."""
    for kind, _, where in (text.partition(":") for text in facts(variation.topic)["key"]):
        found = within(variation.frame["eventBody"], where) if kind == "body" else None
        found = variation.ids[int(where) - 1] if kind == "topic" and where else found
        if found:
            return found
    return variation.frame["topicName"]


@pytest.mark.parametrize("topic", topics())
def test_no_event_of_the_topic_fails(topic):
    for variation in variations(topic):
        frame = read_frame(orjson.dumps(variation.frame)).envelope
        queue_id(frame)
        state_of(frame)
        found = taken(variation.frame)
        outcomes = routed(found)
        assert all(isinstance(one, Mapped) for one in outcomes), (variation.name, outcomes)
        assert len(outcomes) <= 1, "one event of Genesys is one event on the bus"
        for outcome in outcomes:
            detail = outcome.entry["detail"]
            assert outcome.route == TAKEN.get(topic, "conversation"), variation.name
            assert detail["receivedAt"] == RECEIVED
            assert b"null" not in orjson.dumps(detail), variation.name
            if outcome.route in ("conversation", "conversation-metrics"):
                assert detail["conversationId"] == variation.conversation == found.key.decode()


@pytest.mark.parametrize("topic", topics())
def test_the_key_is_what_the_event_tells_of(topic):
    for variation in variations(topic, seed=1, depth=1):
        assert taken(variation.frame).key.decode() == key_of(variation), variation.name


@pytest.mark.parametrize("topic", topics())
def test_the_id_is_of_topic_and_body_alone(topic):
    frame = next(one.frame for one in variations(topic, seed=2, depth=1) if one.name == "full")
    found = taken(frame)
    again = {**frame, "metadata": {"CorrelationId": "another"}}
    assert found.event_id == taken(again).event_id == derive_event_id(frame)
    envelope = {"detail-type": topic, "source": "aws.partner/genesys.com/cloud/o/s", "detail": frame}
    assert (taken(envelope).event_id, taken(envelope).value) == (found.event_id, found.value)


@pytest.mark.parametrize("topic", [*TAKEN, *(topic for topic in topics() if ".conversation" in topic)])
def test_a_full_event_is_taken_where_its_topic_tells_of_a_conversation_or_has_a_route(topic):
    [full] = [one for one in variations(topic) if one.name == "full"]
    tells = topic in TAKEN or (facts(topic)["conversation"] and not topic.startswith("v2.analytics."))
    assert bool(routed(taken(full.frame))) is bool(tells)


@pytest.mark.parametrize("extra", [None, [], "x", 7, {}, {"CorrelationId": None, "id": None, "name": None}])
def test_what_stands_beside_the_body_may_be_anything(extra):
    topics_of_each = ["v2.routing.queues.{id}.conversations", "v2.detail.events.conversation.{id}.acd.start", *TAKEN]
    for topic in topics_of_each:
        frame = next(one.frame for one in variations(topic) if one.name == "full")
        beside = {"version": extra, "metadata": extra, "queue": extra, "timestamp": extra, "again": extra}
        [outcome] = routed(taken({**frame, **beside, "backfilled": extra, "derived": extra}))
        assert isinstance(outcome, Mapped), (topic, outcome)


def test_what_is_written_to_raw_is_mapped_by_itself():
    """Whoever puts a notification into `raw` without a source, its time of receipt is that of the record."""
    frame = {"topicName": "v2.users.u-1.presence", "eventBody": {}}
    answer = route_event(shipped(), Raw(orjson.dumps(frame), received_at=RECEIVED_MS), 10_000, lambda route: None)
    [encoded] = answer.outcomes
    assert orjson.loads(encoded.value)["time"] == RECEIVED


@pytest.mark.parametrize("topic", topics())
def test_what_is_generated_is_of_the_topics_shape(topic):
    for variation in variations(topic, depth=1):
        if variation.name != "floats":
            assert departures(topic, variation.frame["eventBody"]) == [], variation.name


@pytest.mark.parametrize("topic", [topic for topic in topics() if SNAPSHOT_TOPIC.fullmatch(topic)])
def test_the_steps_of_a_snapshot_are_events_of_its_conversation_and_none_fails(topic):
    told = 0
    for variation in variations(topic):
        steps = StepMemory().take(variation.frame, RECEIVED_MS)
        told += len(steps)
        for step in steps:
            found = taken(step.envelope(variation.frame))
            assert found.key.decode() == step.conversation_id == variation.conversation
            assert found.event_id == step.id
            (outcome,) = routed(found)
            assert isinstance(outcome, Mapped), outcome
            assert outcome.entry["detail"]["derived"] is True
    assert told or topic.endswith(".summaries"), "a summary is no snapshot"
