"""Tests of the time of what an event reports: its own, the latest of a snapshot, or none."""

import pytest

from processors.genesys.times import event_time, is_timeless

QUEUE = "v2.routing.queues.1eb8020b-edb0-57e8-b519-49754454f562.conversations"
USER = "v2.users.07ea919f-3bbe-550c-a3dc-c44febd173f8"
ANSWERED, ENDED = "2026-11-23T10:00:01.000Z", "2026-11-23T10:05:00.000Z"


def notification(topic, body, **envelope):
    return {"topicName": topic, "version": "2", "eventBody": body, **envelope}


def snapshot(*participants, topic=QUEUE, **envelope):
    return notification(topic, {"id": "c", "participants": list(participants)}, **envelope)


def flat(talk, medium="calls", **person):
    return {"id": "p", medium: [{"id": "s", **talk}], **person}


CUSTOMER = flat({"state": "connected"}, purpose="customer", connectedTime=ANSWERED)


@pytest.mark.parametrize(
    ("topic", "body", "time"),
    [
        ("v2.detail.events.conversation.c.acd.start", {"eventTime": 1765551750107}, "2025-12-12T15:02:30.107Z"),
        ("v2.conversations.c.transcription", {"eventTime": "2026-11-23T10:00:00Z"}, "2026-11-23T10:00:00.000Z"),
        ("v2.conversations.chats.c.messages", {"timestamp": ANSWERED, "id": "m"}, ANSWERED),
        (f"{USER}.conversations.summaries", {"createdDate": ANSWERED}, ANSWERED),
        ("v2.analytics.conversation.c.metrics", {"metricDate": ANSWERED}, ANSWERED),
        ("v2.detail.events.agent.u.state", {"currentStateStart": 1765551750107}, "2025-12-12T15:02:30.107Z"),
        (f"{USER}.presence", {"modifiedDate": ANSWERED}, ANSWERED),
        (f"{USER}.routingStatus", {"status": "IDLE", "startTime": ANSWERED}, ANSWERED),
        (f"{USER}.routingStatus", {"routingStatus": {"status": "IDLE", "startTime": ANSWERED}}, ANSWERED),
        (
            f"{USER}.activity",
            {"routingStatus": {"startTime": ANSWERED}, "presence": {"modifiedDate": ENDED}, "outOfOffice": None},
            ENDED,
        ),
        ("v2.taskmanagement.workitems.w", {"dateCreated": ANSWERED, "dateModified": ENDED}, ENDED),
        (f"{USER}.conversations.x.recordings", {"fileState": "AVAILABLE"}, ""),
        (f"{USER}.presence", {"modifiedDate": None}, ""),
        (f"{USER}.presence", {"modifiedDate": True, "eventTime": {}}, ""),
        ("v2.conversations.c.transcription", {"eventTime": "yesterday"}, "yesterday"),
        ("v2.conversations.c.transcription", {"eventTime": 10**18}, str(10**18)),
        ("v2.x", None, ""),
        ("v2.x", [], ""),
    ],
)
def test_its_own_time(topic, body, time):
    assert event_time(notification(topic, body)) == time


@pytest.mark.parametrize("state", ["alerting", "dialing", "contacting", "offering", "scheduled"])
@pytest.mark.parametrize("medium", ["calls", "callbacks", "chats", "emails", "messages", "videos", "screenMonitorings"])
def test_a_state_that_came_with_no_time_has_not_that_of_the_change_before(medium, state):
    declined = flat({"state": "disconnected", "disconnectedTime": ENDED}, medium, endTime=ENDED)
    assert event_time(snapshot(CUSTOMER, declined)) == ENDED
    assert event_time(snapshot(CUSTOMER, declined, flat({"state": state}, medium))) == ""


@pytest.mark.parametrize(
    ("participant", "time"),
    [
        (flat({"state": "alerting", "startAlertingTime": ENDED}), ENDED),
        ({"id": "p", "state": "alerting", "startTime": ENDED}, ENDED),
        ({"id": "p", "state": "alerting"}, ""),
        (flat({"state": "connected"}), ""),
        (flat({"state": "connected", "connectedTime": ENDED}), ENDED),
        (flat({"state": "connected", "held": True}, connectedTime=ANSWERED), ""),
        (flat({"state": "connected", "held": True, "startHoldTime": ENDED}, connectedTime=ANSWERED), ENDED),
        ({"id": "p", "state": "connected", "held": True, "connectedTime": ANSWERED, "startHoldTime": ENDED}, ENDED),
        (flat({"state": "terminated"}, connectedTime=ANSWERED), ""),
        (flat({"state": "terminated"}, endTime=ENDED), ENDED),
        (flat({"state": "parked", "parkTime": ENDED}, "emails", connectedTime=ANSWERED), ENDED),
        (
            flat({"state": "connected", "parkTime": ANSWERED, "resumeTime": ENDED}, "emails", connectedTime=ANSWERED),
            ENDED,
        ),
        (flat({"state": "disconnected", "afterCallWork": {"state": "pending"}}, endTime=ANSWERED), ""),
        (
            flat(
                {"state": "disconnected", "afterCallWork": {"state": "pending", "startTime": ENDED}}, endTime=ANSWERED
            ),
            ENDED,
        ),
        (flat({"state": "disconnected", "afterCallWork": {"state": "complete"}}, endTime=ANSWERED), ""),
        (
            flat({"state": "disconnected", "afterCallWork": {"state": "complete"}}, endTime=ANSWERED, endAcwTime=ENDED),
            ENDED,
        ),
        (flat({"state": "disconnected", "afterCallWork": {"state": "skip"}}, endTime=ENDED), ENDED),
        (flat({"state": "disconnected"}, endTime=ANSWERED, wrapup={"code": "w"}), ""),
        (flat({"state": "disconnected"}, endTime=ANSWERED, wrapup={"code": "w", "endTime": ENDED}), ENDED),
        (
            flat({"state": "connected", "messages": [{"messageTime": ENDED}]}, "messages", connectedTime=ANSWERED),
            ENDED,
        ),
        ({"id": "p", "calls": None, "messages": [None, {"state": None}]}, ANSWERED),
    ],
)
def test_the_latest_time_of_a_snapshot_unless_something_is_so_since_nobody_knows_when(participant, time):
    assert event_time(snapshot(CUSTOMER, participant)) == time


def test_times_are_compared_as_instants():
    later = flat({"state": "connected", "connectedTime": "2026-11-23T10:00:00.9Z"})
    zoned = flat({"state": "connected", "connectedTime": "2026-11-23T11:00:00+0200"})
    epoch = flat({"state": "connected", "connectedTime": 1_795_428_000_950})
    whole = flat({"state": "connected", "connectedTime": "2026-11-23T10:00:00Z"})
    assert event_time(snapshot(later, whole, zoned)) == "2026-11-23T10:00:00.900Z"
    assert event_time(snapshot(epoch, later)) == "2026-11-23T10:00:00.950Z"


def test_times_to_come_are_none_of_an_event():
    talk = {"state": "scheduled", "callbackScheduledTime": ENDED, "startAlertingTime": ANSWERED}
    assert event_time(snapshot(flat(talk, "callbacks"))) == ANSWERED


def test_a_state_that_came_back_did_so_when_it_was_received():
    assert event_time(snapshot(CUSTOMER, again=1_795_428_150_000)) == "2026-11-23T10:02:30.000Z"


def test_a_backfilled_snapshot_is_of_its_moment():
    envelope = {"backfilled": True, "metadata": {"moment": ENDED}}
    assert event_time(snapshot(flat({"state": "alerting"}), **envelope)) == ENDED


def test_what_tells_no_time_was_so_when_it_was_put_on_the_event_bus():
    assert event_time(snapshot(flat({"state": "alerting"}), timestamp=ENDED)) == ENDED


def test_a_stream_event_says_when_it_was_created():
    assert event_time({"id": "i", "createdTime": ENDED}) == ENDED
    assert event_time({"id": "i"}) == ""


@pytest.mark.parametrize(
    ("body", "timeless"),
    [
        ({"joined": True}, True),
        ({"joined": True, "modifiedDate": "2026-11-23T10:00:00Z"}, False),
        ({"eventTime": 5}, False),
        ({"eventTime": None}, True),
        ({"routingStatus": {"status": "IDLE", "startTime": "2026-11-23T10:00:00Z"}}, False),
        ({"routingStatus": {"status": "IDLE"}}, True),
        ("text", False),
    ],
)
def test_a_body_without_a_time_is_timeless(body, timeless):
    assert is_timeless({"topicName": "v2.x", "eventBody": body}) is timeless


def test_what_changed_without_a_time_did_so_when_it_was_received():
    assert event_time(snapshot(CUSTOMER, changedAt=1_795_428_150_000)) == "2026-11-23T10:02:30.000Z"
