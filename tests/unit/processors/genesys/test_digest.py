"""Tests of what an event tells of its conversation: the topic's own queue and user, medium, state, wrap-up."""

import pytest

from processors.genesys.digest import MEDIA, digest
from processors.genesys.frames import queue_id

OWN, OTHER = "1eb8020b-edb0-57e8-b519-49754454f562", "2eb8020b-edb0-57e8-b519-49754454f562"
USER = "07ea919f-3bbe-550c-a3dc-c44febd173f8"


def notification(topic, body, **envelope):
    return {"topicName": topic, "version": "2", "eventBody": body, **envelope}


def snapshot(*participants, topic=f"v2.routing.queues.{OWN}.conversations", **envelope):
    return notification(topic, {"id": "c", "participants": list(participants)}, **envelope)


def acd(queue, priority, skill, **more):
    routing = {"queue": {"id": queue}, "priority": priority, "skills": [{"id": skill}], "language": {"id": "en"}}
    return {"purpose": "acd", "queueId": queue, "name": f"Queue {priority}", "conversationRoutingData": routing, **more}


@pytest.mark.parametrize(
    ("topic", "event_type"),
    [
        (f"v2.routing.queues.{OWN}.conversations", "conversations"),
        (f"v2.routing.queues.{OWN}.conversations.calls", "conversations.calls"),
        (f"v2.users.{USER}.conversations.cobrowseSessions", "conversations.cobrowseSessions"),
        (f"v2.users.{USER}.conversations.{OWN}.recordings.{OTHER}", "conversations.recordings"),
        (f"v2.detail.events.conversation.{OWN}.flow.outcome", "flow.outcome"),
        (f"v2.conversations.{OWN}.suggestions.knowledge.article", "suggestions.knowledge.article"),
        (f"v2.conversations.chats.{OWN}.messages", "chats.messages"),
        (f"v2.speechandtextanalytics.conversation.{OWN}.sentiment", "speechandtextanalytics.conversation.sentiment"),
    ],
)
def test_an_event_type_has_no_ids_in_it(topic, event_type):
    assert digest(notification(topic, {}))["eventType"] == event_type


@pytest.mark.parametrize("order", [1, -1])
def test_priority_skills_and_name_are_those_of_the_queue_that_the_topic_names(order):
    told = digest(snapshot(*[acd(OWN, 7, "own"), acd(OTHER, 1, "other")][::order]))
    assert (told["priority"], told["requestedRoutingSkillIds"], told["queueName"]) == (7, ["own"], "Queue 7")
    assert (told["queueId"], told["requestedLanguageId"]) == (OWN, "en")


def test_a_transfer_back_to_the_queue_counts_anew():
    assert digest(snapshot(acd(OWN, 7, "a"), acd(OTHER, 1, "b"), acd(OWN, 3, "c")))["priority"] == 3


def test_the_name_of_another_queue_is_not_taken():
    assert digest(snapshot(acd(OWN, 7, "a"), queue={"id": OTHER, "name": "no"}))["queueName"] == "Queue 7"
    assert digest(snapshot(acd(OWN, 7, "a"), queue={"id": OWN, "name": "Returns"}))["queueName"] == "Returns"


def test_a_topic_of_a_user_tells_of_that_user():
    wrapped = {"wrapup": {"code": "mine", "notes": "n", "durationSeconds": 74}}
    me = {"id": "p1", "purpose": "agent", "userId": USER, "queueId": OTHER, **wrapped}
    others = {
        "id": "p2",
        "userId": "u2",
        "queueId": OWN,
        "wrapup": {"code": "theirs"},
        "calls": [{"state": "alerting"}],
    }
    body = snapshot(
        me | {"calls": [{"id": "s1", "state": "disconnected"}]}, others, topic=f"v2.users.{USER}.conversations"
    )
    told = digest(body)
    assert (told["userId"], told["participantId"], told["sessionId"]) == (USER, "p1", "s1")
    assert (told["queueId"], told["state"]) == (OTHER, "disconnected")
    assert (told["wrapupCode"], told["wrapupNotes"], told["wrapupDurationMs"]) == ("mine", "n", 74_000)


def test_the_wrap_up_of_who_tells_no_queue_is_that_of_the_only_queue():
    wrapped = {"purpose": "agent", "wrapup": {"code": "w"}}
    assert digest(snapshot(acd(OWN, 7, "a"), wrapped))["wrapupCode"] == "w"
    assert digest(snapshot(wrapped))["wrapupCode"] == "w"
    assert "wrapupCode" not in digest(snapshot(acd(OWN, 7, "a"), wrapped, acd(OTHER, 1, "b")))


def test_null_is_missing_at_every_depth():
    body = {"sender": {"id": "m", "name": None}, "transcripts": [None, {"text": "hi", "words": [{"at": None}]}]}
    told = digest(notification(f"v2.conversations.chats.{OWN}.messages", body))
    assert (told["sender"], told["transcripts"]) == ({"id": "m"}, [{"text": "hi", "words": [{}]}])


def test_a_state_is_told_in_lower_case_whatever_it_came_in():
    talks = [{"id": "s1", "state": "CONNECTED"}, {"id": "s2", "state": "TERMINATED"}]
    told = digest(snapshot({"id": "p", "purpose": "agent", "calls": talks}))
    assert (told["state"], told["participants"][0]["sessionId"]) == ("connected", "s1")


def test_the_queue_of_a_users_topic_is_that_of_the_user_whatever_the_newest_is():
    me = {"purpose": "agent", "userId": USER, "queueId": OWN, "calls": [{"state": "connected"}]}
    consulted = {"purpose": "agent", "userId": "u2", "queueId": OTHER, "calls": [{"state": "alerting"}]}
    people = (acd(OWN, 7, "own"), me, acd(OTHER, 1, "other"), consulted)
    frame = snapshot(*people, topic=f"v2.users.{USER}.conversations")
    assert queue_id(frame) == OWN
    for named in ({}, {"queue": {"id": OTHER, "name": "Other"}}):
        told = digest(frame | named)
        assert (told["queueId"], told["priority"], told["queueName"]) == (OWN, 7, "Queue 7")


@pytest.mark.parametrize("metadata", [None, [], {}, {"CorrelationId": None}, {"CorrelationId": 7}])
def test_a_step_with_a_priority_of_its_own(metadata):
    body = {"priority": 3, "queueName": "Returns", "routingPriority": None}
    told = digest(notification("v2.conversations.c-1.x", body, metadata=metadata, queue=None))
    assert (told["priority"], told["queueName"]) == (3, "Returns")


@pytest.mark.parametrize(("name", "medium"), MEDIA.items())
def test_every_medium(name, medium):
    person = {"id": "p", "purpose": "customer", name: [None, {"id": "s", "state": "connected", "direction": "inbound"}]}
    told = digest(snapshot(person))
    assert (told["mediaType"], told["state"], told["direction"]) == (medium, "connected", "inbound")
    assert told["participants"][0]["sessionId"] == "s"


@pytest.mark.parametrize(("name", "medium"), MEDIA.items())
def test_every_variant_by_medium(name, medium):
    topic = f"v2.routing.queues.{OWN}.conversations.{name.lower()}"
    told = digest(snapshot({"id": "p", "state": "connected", "queue": {"id": OWN}}, topic=topic))
    assert (told["mediaType"], told["state"]) == (medium, "connected")
    assert told["participants"] == [{"id": "p", "queueId": OWN, "state": "connected"}]


def test_a_callback_stays_one_while_its_call_is_made():
    calls = [{"id": "c1", "state": "dialing", "direction": "outbound"}]
    told = digest(snapshot({"id": "p", "callbacks": [{"id": "b", "state": "connected"}], "calls": calls}))
    assert (told["mediaType"], told["state"], told.get("direction")) == ("callback", "connected", None)


def test_of_several_communications_the_newest_that_has_not_ended_counts():
    talks = [
        {"id": "1", "state": "disconnected"},
        {"id": "2", "state": "connected"},
        {"id": "3", "state": "terminated"},
    ]
    assert digest(snapshot({"id": "p", "calls": talks}))["participants"][0]["sessionId"] == "2"
    assert digest(snapshot({"id": "p", "calls": talks[::2]}))["participants"][0]["sessionId"] == "3"


def test_addresses_of_a_call():
    parties = {"self": {"addressNormalized": "+15550100", "addressRaw": "raw"}, "other": {"addressRaw": "+15550101"}}
    inbound = {"purpose": "customer", "calls": [{"state": "connected", "direction": "inbound", **parties}]}
    outbound = {"purpose": "customer", "calls": [{"state": "dialing", "direction": "outbound", **parties}]}
    nested = {"purpose": "customer", "state": "connected", "ani": "tel:+1", "dnis": "tel:+2"}
    told = [digest(snapshot(one)) for one in (inbound, outbound, nested)]
    assert [(one["ani"], one["dnis"]) for one in told] == [
        ("+15550100", "+15550101"),
        ("+15550101", "+15550100"),
        ("tel:+1", "tel:+2"),
    ]


def test_a_single_step_goes_on_whole_but_for_nulls():
    body = {"eventTime": 1, "flowId": "f", "exitReason": None, "routingPriority": 5, "mediaType": "VOICE", "x": []}
    told = digest(notification("v2.detail.events.conversation.c-1.flow.end", body))
    assert told == {
        "flowId": "f", "routingPriority": 5, "x": [], "eventType": "flow.end", "mediaType": "voice", "priority": 5,
    }  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"topicName": "v2.x", "eventBody": None}, {"topicName": 1, "eventBody": {}}])
def test_another_event_tells_nothing(body):
    assert digest(body) == {}
