"""Tests of backfilled snapshots: made from segments, in the shapes of the topics that missed them."""

import orjson
import pytest

from processors.event.identity import derive_event_id
from processors.genesys.analytics.conversation import AnalyticsConversation
from processors.genesys.analytics.snapshots import beyond, snapshots
from processors.genesys.interval import Interval, epoch_ms_of, merged
from processors.genesys.states import state_of

QUEUE, USER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
BY_QUEUE, BY_USER = f"v2.routing.queues.{QUEUE}.conversations", f"v2.users.{USER}.conversations"


def test_what_cannot_be_made_is_told_by_its_kind():
    media = ("calls", "callbacks", "chats", "emails", "messages", "cobrowseSessions", "screenshares", "videos")
    made = [BY_QUEUE, BY_USER, *(f"{topic}.{medium}" for topic in (BY_QUEUE, BY_USER) for medium in media)]
    assert beyond(made) == []
    other = [f"v2.users.{USER}.presence", f"v2.users.{QUEUE}.presence", f"{BY_QUEUE}.socialexpressions",
             f"v2.detail.events.conversation.{USER}.acd.start"]  # fmt: skip
    assert beyond([*made, *other]) == [
        "v2.detail.events.conversation.{id}.acd.start",
        "v2.routing.queues.{id}.conversations.socialexpressions",
        "v2.users.{id}.presence",
    ]


def at(second):
    return f"2026-11-23T10:00:{second:02}.000Z"


def ms(second):
    return epoch_ms_of(at(second))


def segment(kind, start, end=None, **fields):
    return {
        "segmentType": kind,
        "segmentStart": at(start),
        **({"segmentEnd": at(end)} if end is not None else {}),
        **fields,
    }


def conversation():
    """A call: at 0 it begins, at 1 it queues, at 5 it alerts, at 8 it is answered, at 20 all is over."""
    queue = {"queueId": QUEUE}
    return {
        "conversationId": "c-1",
        "conversationStart": at(0),
        "conversationEnd": at(20),
        "participants": [
            {
                "participantId": "customer", "purpose": "customer", "participantName": "Ann",
                "sessions": [{"sessionId": "s1", "mediaType": "voice", "direction": "inbound",
                              "segments": [segment("interact", 0, 20, disconnectType="PEER")]}],
            },
            {
                "participantId": "acd", "purpose": "acd",
                "sessions": [{"sessionId": "s2", "mediaType": "voice", "routingPriority": 7,
                              "segments": [segment("delay", 1, 2, **queue),
                                           segment("interact", 2, 8, **queue)]}],
            },
            {
                "participantId": "agent", "purpose": "agent", "userId": USER,
                "sessions": [{"sessionId": "s3", "mediaType": "voice",
                              "segments": [segment("alert", 5, 8, **queue),
                                           segment("interact", 8, 12, **queue),
                                           segment("hold", 12, 15, **queue),
                                           segment("interact", 15, 20, **queue),
                                           segment("wrapup", 20, 25, wrapUpCode="resolved")]}],
            },
        ],
    }  # fmt: skip


def made(topics=(BY_QUEUE,), start=0, end=59, body=None):
    found = snapshots(body or conversation(), Interval(ms(start), ms(end)), frozenset(topics))
    return [told.envelope for told in found]


def states(envelope):
    return {
        one["purpose"]: [call["state"] for call in one.get("calls", [])]
        for one in envelope["eventBody"]["participants"]
    }


def test_every_change_within_the_interval_makes_one_snapshot():
    assert [states(envelope) for envelope in made()] == [
        {"customer": ["connected"], "acd": ["connected"]},
        {"customer": ["connected"], "acd": ["connected"]},
        {"customer": ["connected"], "acd": ["connected"], "agent": ["alerting"]},
        {"customer": ["connected"], "acd": ["terminated"], "agent": ["connected"]},
        {"customer": ["connected"], "acd": ["terminated"], "agent": ["connected"]},
        {"customer": ["connected"], "acd": ["terminated"], "agent": ["connected"]},
        {"customer": ["terminated"], "acd": ["terminated"], "agent": ["terminated"]},
        {"customer": ["terminated"], "acd": ["terminated"], "agent": ["terminated"]},
    ]


def test_after_call_work_does_not_hide_why_a_call_ended():
    body = conversation()
    body["participants"][2]["sessions"][0]["segments"][3]["disconnectType"] = "TRANSFER"
    ended = [envelope["eventBody"]["participants"][2]["calls"][0] for envelope in made(start=20, body=body)]
    assert [call["disconnectType"] for call in ended] == ["transfer", "transfer"]


def test_the_envelope_is_that_of_a_notification_and_marked():
    envelope = made()[0]
    assert envelope["topicName"] == BY_QUEUE
    assert envelope["version"] == "2"
    assert envelope["backfilled"] is True
    assert envelope["eventBody"]["id"] == "c-1"


def test_flat_shape_of_a_participant():
    agent = made(start=8, end=9)[0]["eventBody"]["participants"][2]
    assert agent == {
        "id": "agent",
        "purpose": "agent",
        "connectedTime": at(8),
        "queueId": QUEUE,
        "userId": USER,
        "calls": [{"id": "s3", "state": "connected", "held": False}],
    }


def test_nested_shape_in_the_variant_by_medium():
    (envelope,) = made([f"{BY_QUEUE}.calls"], 12, 13)
    customer, acd, agent = envelope["eventBody"]["participants"]
    assert (agent["queue"], agent["user"], agent["held"]) == ({"id": QUEUE}, {"id": USER}, True)
    assert acd["conversationRoutingData"] == {"queue": {"id": QUEUE}, "priority": 7}
    assert acd["endTime"] == at(8)
    assert (customer["name"], customer["state"]) == ("Ann", "connected")
    assert made([f"{BY_QUEUE}.chats"]) == []


def test_a_queue_and_a_user_hear_of_it_only_from_their_time_on():
    assert made(start=0, end=1) == []
    assert len(made(start=0, end=2)) == 1
    by_user = made([BY_USER])
    assert states(by_user[0])["agent"] == ["alerting"]
    assert {envelope["topicName"] for envelope in by_user} == {BY_USER}


def test_disconnect_wrap_up_and_end_appear_when_they_happen():
    last, wrapped = made(start=20, end=26)
    assert last["eventBody"]["endTime"] == at(20)
    customer, _, agent = last["eventBody"]["participants"]
    assert customer["calls"][0]["disconnectType"] == "peer"
    assert "wrapup" not in agent
    assert wrapped["eventBody"]["participants"][2]["wrapup"] == {"code": "resolved"}
    assert "endTime" not in made(start=8, end=9)[0]["eventBody"]


def test_what_happens_later_does_not_change_an_earlier_snapshot():
    running = conversation()
    del running["conversationEnd"]
    running["participants"] = running["participants"][:2]
    for participant in running["participants"]:
        del participant["sessions"][0]["segments"][-1]["segmentEnd"]
    assert made(end=3, body=running) == made(end=3)


def test_a_backfilled_state_equals_the_live_one():
    live = {
        "topicName": BY_QUEUE,
        "eventBody": {
            "id": "c-1",
            "participants": [
                {"id": "customer", "purpose": "customer", "calls": [{"state": "connected", "held": False}]},
                {"id": "acd", "purpose": "acd", "queueId": QUEUE, "calls": [{"state": "connected"}]},
            ],
        },
    }
    assert state_of(made(start=1, end=2)[0]).shapes == state_of(live).shapes


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"conversationId": 5},
        {"conversationId": "c"},
        {"conversationId": "c", "participants": "none"},
        {
            "conversationId": "c",
            "participants": [None, {}, {"sessions": [{}]}, {"sessions": [{"segments": [5]}]}],
        },
        {
            "conversationId": "c",
            "participants": [{"sessions": [{"segments": [{"segmentStart": "yesterday"}]}]}],
        },
    ],
)
def test_what_is_not_shaped_as_documented_is_left_out(body):
    assert made(body=body or {"x": 1}) == []


def test_an_interval_is_cut_into_windows():
    assert list(Interval(0, 25).windows(10)) == [Interval(0, 10), Interval(10, 20), Interval(20, 25)]
    assert list(Interval(5, 5).windows(10)) == []


def test_near_intervals_are_merged():
    spans = [Interval(30, 40), Interval(0, 10), Interval(5, 8), Interval(12, 20)]
    assert merged(spans, within_ms=2) == [Interval(0, 20), Interval(30, 40)]


@pytest.mark.parametrize(("value", "expected"), [("1970-01-01T00:00:01.5Z", 1_500), ("x", None), (5, 5), (None, None)])
def test_milliseconds(value, expected):
    assert epoch_ms_of(value) == expected


def test_moments_are_those_of_segments_and_the_end():
    known = AnalyticsConversation.from_json(conversation())
    assert known.moments(Interval(ms(8), ms(21))) == [ms(8), ms(12), ms(15), ms(20)]


def test_each_snapshot_tells_until_when_it_was_so_beyond_the_interval_too():
    found = list(snapshots(conversation(), Interval(ms(8), ms(13)), frozenset([BY_QUEUE])))
    assert [(told.moment_ms, told.until_ms) for told in found] == [(ms(8), ms(12)), (ms(12), ms(15))]
    assert [told.until_ms for told in snapshots(conversation(), Interval(0, 2**53), frozenset([BY_QUEUE]))][-1] is None


def test_the_same_body_at_another_moment_is_another_event():
    first, *_ = made()
    later = first | {"metadata": {"moment": "2031-01-01T00:00:00.000Z"}}
    assert derive_event_id(first) != derive_event_id(later)
    assert derive_event_id(first) == derive_event_id(orjson.loads(orjson.dumps(first)))
