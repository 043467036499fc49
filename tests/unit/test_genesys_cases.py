"""Events as real organisations sent them (personal details replaced) or as the SDK's models are, with what is right.

`tests/cases/genesys/`: each is taken in as a source takes it, and tried on the shipped routes.
"""

import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from processors.event.identity import event_of_bytes, identify
from processors.event.intake import IntakeEvent, taken_in
from processors.routes.outcome import Filtered, Mapped
from processors.routes.route import compile_route
from processors.routes.routes import Routes, outcomes_of
from streams.routes.folder import read_routes

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases" / "genesys"
RECEIVED_MS, RECEIVED = 1_795_428_600_000, "2026-11-23T10:10:00.000Z"
CONVERSATION = "3b1a11df-587f-4280-bbab-6c398d88348a"
QUEUE = "1eb8020b-edb0-57e8-b519-49754454f562"
USER = "07ea919f-3bbe-550c-a3dc-c44febd173f8"
CODE = "7fb334b0-0e9e-11e4-9191-0800200c9a66"
STEP = "2025-12-12T15:04:25.126Z"
PAIRED = {"conversationId": CONVERSATION, "participantId": "p1", "sessionId": "s1"}
CALLED = {"ani": "tel:+15550100", "dnis": "tel:+15550101", "divisionId": "d1", **PAIRED}

#: Case -> what the mapped event's detail must hold; `time` is its time.
RIGHT = {
    "1/scheduled-callback": {"time": RECEIVED, "mediaType": "callback", "state": "scheduled", "priority": 0},
    "3/1-alerting-again": {"time": RECEIVED, "mediaType": "callback", "state": "alerting", "userId": USER},
    "4/1-ended-acw-pending": {"time": "2022-07-04T20:08:25.397Z", "state": "disconnected"},
    "4/2-acw-complete-no-code": {"time": "2022-07-04T20:09:40.001Z", "wrapupCode": None},
    "4/3-wrapup-code": {
        "time": "2022-07-04T20:09:40.001Z",
        "wrapupCode": CODE,
        "wrapupNotes": "resolved",
        "wrapupDurationMs": 74_000,
    },
    "5/acw": {"time": STEP, "eventType": "acw", "wrapupCode": CODE, "wrapupDurationMs": 74_000, **CALLED},
    "5/attributes": {
        "time": "2025-12-10T08:43:58.647Z",
        "attributes": {"customerNumber": "4711", "survey": "5"},
        "participantId": "p1",
    },
    "5/customer-end": {"time": STEP, "disconnectType": "CLIENT", "interactingDurationMs": 60_000, **CALLED},
    "5/flow-outcome": {
        "time": STEP,
        "flowId": "f1",
        "flowType": "INBOUNDCALL",
        "flowOutcomeId": "o1",
        "flowOutcomeValue": "SUCCESS",
        **CALLED,
    },
    "5/outbound": {
        "time": STEP,
        "direction": "outbound",
        "outboundCampaignId": "camp1",
        "outboundContactListId": "cl1",
        "outboundContactId": "ct1",
        **CALLED,
    },
    "5/transcription": {"time": "2025-12-10T08:44:30.264Z", "communicationId": "c1", "eventType": "transcription"},
    "5/user-end": {
        "time": STEP,
        "userId": USER,
        "interactingDurationMs": 60_000,
        "heldDurationMs": 1_000,
        "alertingDurationMs": 5_000,
        **CALLED,
    },
    "5/wrapup": {"time": STEP, "wrapupCode": CODE, "wrapupNotes": "resolved", "wrapupDurationMs": 74_000, **CALLED},
    "6/chat-member": {"time": "2026-06-18T16:59:09.689Z", "eventType": "chats.members"},
    "6/chat-message": {"time": "2026-06-18T16:59:22.277Z", "eventType": "chats.messages", "body": "Hello"},
    "6/recordings": {"time": RECEIVED, "eventType": "conversations.recordings", "fileState": "AVAILABLE"},
    "6/summary": {"time": "2026-11-23T10:05:00.000Z", "eventType": "conversations.summaries", "queueId": QUEUE},
    "7/eventbridge-envelope": {"time": STEP, "eventType": "customer.start", **CALLED},
    "8/activity": {"time": "2021-05-14T09:03:17.067Z", "routingStatus": "OFF_QUEUE", "systemPresence": "AVAILABLE"},
    "8/agent-state": {"time": STEP, "state": "ALERTING", "userId": USER, "queueId": QUEUE, "mediaType": "voice"},
    "8/conv-metrics": {"time": "2026-11-23T10:05:00.000Z", "metric": "nTransferred", "value": 1, "queueId": QUEUE},
    "8/routingStatus": {"time": "2021-05-14T09:03:17.067Z", "routingStatus": "NOT_RESPONDING", "userId": USER},
    "9/epoch-connectedTime": {"time": "2026-11-23T10:00:00.900Z"},
    "9/time-offset-without-colon": {"time": "2025-12-10T08:44:30.264Z"},
    "9/times-mixed-precision": {"time": "2026-11-23T10:00:00.900Z"},
    "9/transcription-without-eventTime": {"time": RECEIVED, "communicationId": "x"},
    "10/callback-with-call": {"mediaType": "callback", "state": "connected", "queueName": "Returns", "direction": None},
    "10/consult": {"time": RECEIVED, "priority": 2, "queueId": QUEUE, "queueName": "Returns"},
    "10/screen-monitoring": {"mediaType": "screenmonitoring", "state": "connected"},
    "10/workitem": {"mediaType": "workitem", "state": "open", "time": "2026-11-23T10:00:00.000Z", "queueId": QUEUE},
    "11/acd-priority-float": {"time": STEP, "priority": 5, "mediaType": "voice"},
    "11/email": {"mediaType": "email", "direction": "inbound", "state": "connected"},
    "11/empty-participants": {"time": RECEIVED, "queueId": QUEUE},
    "11/nulls-everywhere": {"mediaType": "message", "time": "2026-11-23T10:00:00.000Z", "priority": None},
    "11/user-end-session": {"disconnectType": "TRANSFER", **CALLED, "sessionId": "s1"},
    "11/user-start-session": {"eventType": "user.start", **CALLED, "sessionId": "s2"},
    "11/video": {"mediaType": "video", "state": "connected", "queueId": QUEUE},
}


def envelope(case):
    return json.loads((CASES / f"{case}.json").read_text("utf-8"))


def taken(value):
    (found,) = taken_in([orjson.dumps(value)], RECEIVED_MS, 1_000_000)
    assert isinstance(found, IntakeEvent)
    return found


@pytest.fixture(scope="module")
def outcomes():
    """The mapped event of each case; no route fails it, and one takes it."""
    shipped_routes = Routes(compile_route(replace(texts, examples=())) for texts in read_routes(ROOT / "schemas"))
    found = {}
    for case in RIGHT:
        outcomes = outcomes_of(shipped_routes, event_of_bytes(taken(envelope(case)).value)).values()
        tried = [one for one in outcomes if not isinstance(one, Filtered)]
        assert [type(one) for one in tried] == [Mapped], (case, tried)
        found[case] = tried[0].entry
    return found


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right(case, outcomes):
    entry = outcomes[case]
    told = entry["detail"] | {"time": entry["time"]}
    assert {name: told.get(name) for name in RIGHT[case]} == RIGHT[case]
    assert told["timestamp"] == entry["time"]
    assert told["receivedAt"] == RECEIVED
    assert told["topic"] == (envelope(case).get("detail") or envelope(case))["topicName"]
    assert None not in told.values()


def test_every_event_of_these_folders_is_a_case():
    names = {str(path.relative_to(CASES))[:-5] for path in CASES.glob("*/*.json")}
    folders = {case.split("/")[0] for case in RIGHT}
    assert {name for name in names if name.split("/")[0] in folders} - {"8/no-longer-subscribed"} == set(RIGHT)


@pytest.mark.parametrize("case", [case for case in RIGHT if case.split("/")[0] not in ("8", "10")])
def test_the_conversation_is_the_key(case, outcomes):
    assert taken(envelope(case)).key.decode() == CONVERSATION == outcomes[case]["detail"]["conversationId"]


def test_the_envelope_of_the_integration_has_the_id_of_the_notification_in_it():
    case = envelope("7/eventbridge-envelope")
    assert taken(case).event_id == taken(case["detail"]).event_id == identify(case).event_id


def test_a_consultation_is_told(outcomes):
    people = outcomes["10/consult"]["detail"]["participants"]
    assert [one.get("consultParticipantId") for one in people] == [None, None, None, "p0", "p0"]
    assert [one["state"] for one in people] == ["connected", "terminated", "connected", "connected", "alerting"]


def test_the_three_steps_of_after_call_work_differ(outcomes):
    steps = [outcomes[case]["detail"]["participants"][-1] for case in RIGHT if case.startswith("4/")]
    assert [one["afterCallWork"]["state"] for one in steps] == ["pending", "complete", "complete"]
    assert ["wrapup" in one for one in steps] == [False, False, True]


def test_a_transcript_carries_its_text_and_status(outcomes):
    told = outcomes["5/transcription"]["detail"]
    body = envelope("5/transcription")["eventBody"]
    assert (told["transcripts"], told["status"]) == (body["transcripts"], body["status"])
