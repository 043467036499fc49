"""Tests of steps: what captured conversations tell, each step once and with the same id however it was learned."""

from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.identity import derive_event_id, interaction_id
from processors.genesys.analytics.snapshots import snapshots
from processors.genesys.interval import Interval, epoch_ms_of
from processors.genesys.steps.memory import StepMemory

CASES = Path(__file__).parents[4] / "cases/genesys"
NOW = 1_795_640_017_724
QUEUE, OTHER = "11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333"
USER = "22222222-2222-4222-8222-222222222222"
TOPIC = f"v2.routing.queues.{QUEUE}.conversations"


def case(name):
    return orjson.loads((CASES / f"{name}.json").read_bytes())


CALLBACK = [
    case(name)
    for name in ("1/scheduled-callback", "3/1-alerting-again", "4/1-ended-acw-pending", "4/2-acw-complete-no-code",
                 "4/3-wrapup-code")
]  # fmt: skip


def told(envelopes, memory=None):
    """The steps of snapshots that come a second apart."""
    memory = StepMemory() if memory is None else memory
    return [step for number, one in enumerate(envelopes) for step in memory.take(one, NOW + number * 1000)]


def named(envelopes):
    return [step.name for step in told(envelopes)]


def snapshot(*participants, topic=TOPIC, **body):
    return {"topicName": topic, "version": "2", "eventBody": {"id": "c-1", "participants": [*participants], **body}}


def person(ident, purpose, state="connected", medium="calls", **fields):
    session = {name: fields.pop(name) for name in ("held", "startHoldTime", "disconnectType", "messages", "direction",
                                                   "self", "other", "type") if name in fields}  # fmt: skip
    return {"id": ident, "purpose": purpose, medium: [{"id": f"s-{ident}", "state": state, **session}], **fields}


def at(second):
    return f"2026-11-23T10:00:{second:02}.000Z"


CUSTOMER = person("k", "customer", connectedTime=at(0))


def queued(state="connected", **fields):
    return person("q", "acd", state, queueId=QUEUE, connectedTime=at(1), **fields)


def agent(ident="a", state="connected", **fields):
    return person(ident, "agent", state, userId=USER, queueId=QUEUE, **fields)


def test_a_captured_callback_step_by_step():
    found = [[step.name for step in told([one], memory)] for memory in [StepMemory()] for one in CALLBACK]
    assert found == [
        ["customer.start", "acd.start"],
        ["user.start", "user.end", "user.start"],
        ["acd.end", "user.start", "user.end", "acw.start"],
        ["acw.end"],
        ["wrapup"],
    ]


def test_steps_of_a_captured_callback_have_the_fields_of_detail_events():
    *_, acd_end, start, end, acw_start, acw_end, wrapup = told(CALLBACK)
    agent_fields = {
        "conversationId": "3b1a11df-587f-4280-bbab-6c398d88348a",
        "participantId": "5151853c-ca28-48da-bdcd-f15c46f07123",
        "sessionId": "19c34168-ccb5-45d5-a9d9-a89caf74e583",
        "mediaType": "CALLBACK",
        "provider": "PureCloud Callback",
        "queueId": "1eb8020b-edb0-57e8-b519-49754454f562",
        "userId": "07ea919f-3bbe-550c-a3dc-c44febd173f8",
    }
    assert acd_end.body["acdOutcome"] == "ANSWERED"
    assert (acd_end.body["outcome"], acd_end.body["answeredUserId"]) == ("answered", agent_fields["userId"])
    assert acd_end.body["connectedDurationMs"] == 188_396
    assert start.body == agent_fields | {"eventTime": 1_656_965_240_528}
    ended = {"eventTime": 1_656_965_305_397, "disconnectType": "CLIENT", "interactingDurationMs": 64_869}
    assert end.body == agent_fields | ended
    assert acw_start.body == agent_fields | {"eventTime": 1_656_965_305_397}
    assert acw_end.body == agent_fields | {"eventTime": 1_656_965_380_001, "wrapupDurationMs": 74_604}
    code = {"wrapupCode": "7fb334b0-0e9e-11e4-9191-0800200c9a66", "wrapupNotes": "resolved", "wrapupDurationMs": 74_000}
    assert wrapup.body == agent_fields | code | {"eventTime": 1_656_965_380_001}


def test_a_step_is_a_notification_of_its_conversation_and_says_that_it_was_derived():
    step = told(CALLBACK)[0]
    envelope = step.envelope(CALLBACK[0])
    assert envelope["topicName"] == f"v2.detail.events.conversation.{step.conversation_id}.customer.start"
    assert (envelope["derived"], envelope["metadata"]["type"]) == (True, "derived")
    assert interaction_id(envelope) == step.conversation_id
    later = {**envelope, "eventBody": {**envelope["eventBody"], "eventTime": 5}, "backfilled": True}
    assert derive_event_id(envelope) == derive_event_id(later) == step.id


def test_a_consult():
    found = told([case("10/consult")])
    assert [step.name for step in found] == [
        "customer.start", "acd.start", "acd.end", "user.start", "hold", "acd.start", "consult", "user.start", "consult",
    ]  # fmt: skip
    assert found[-1].body["consultParticipantId"] == "p0"


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        ([queued("terminated", endTime=at(9), disconnectType="transfer"), agent(connectedTime=at(9))], "answered"),
        ([queued("terminated", endTime=at(9), disconnectType="transfer"),
          person("q2", "acd", queueId=OTHER, connectedTime=at(9))], "overflow"),
        ([queued("terminated", endTime=at(9), disconnectType="transfer"),
          person("b", "agent", queueId=OTHER, userId=USER)], "transferred"),
        ([queued("terminated", endTime=at(9), disconnectType="peer")], "abandoned"),
        ([queued("terminated", endTime=at(9), disconnectType="transfer")], None),
        ([queued("terminated", endTime=at(9), disconnectType="transfer"), agent(state="alerting")], None),
    ],
    ids=["answered", "overflow", "by hand", "abandoned", "who is next is not told yet", "the agent is alerted"],
)  # fmt: skip
def test_how_a_wait_ended(last, outcome):
    ends = [step for step in told([snapshot(CUSTOMER, queued()), snapshot(CUSTOMER, *last)]) if step.name == "acd.end"]
    assert [step.body["outcome"] for step in ends] == ([] if outcome is None else [outcome])


def test_an_agent_who_hands_on_tells_to_whom():
    gone = agent(state="disconnected", endTime=at(20), connectedTime=at(9), disconnectType="transfer")
    before = [snapshot(CUSTOMER, agent(connectedTime=at(9))), snapshot(CUSTOMER, gone)]
    assert "transfer" not in named(before)
    step = next(
        step for step in told([*before, snapshot(CUSTOMER, gone, person("q2", "acd", queueId=OTHER))])
        if step.name == "transfer"
    )  # fmt: skip
    assert (step.at_ms, step.body["participantId"], step.body["toQueueId"]) == (1_795_428_020_000, "a", OTHER)
    declined = agent(state="disconnected", endTime=at(20), disconnectType="transfer.noanswer")
    assert "transfer" not in named([snapshot(CUSTOMER, declined, agent("b", "alerting"))])
    end = next(step for step in told([snapshot(CUSTOMER, declined)]) if step.name == "user.end")
    assert end.body["disconnectType"] == "NO_ANSWER_TRANSFER"


def test_who_was_consulted_through_a_queue_is_whom_the_conversation_goes_to():
    gone = agent(state="disconnected", endTime=at(20), connectedTime=at(9), disconnectType="transfer")
    asked = person("q2", "acd", "terminated", queueId=OTHER, endTime=at(15), disconnectType="transfer")
    consulted = person("b", "agent", queueId=OTHER, userId=USER, connectedTime=at(15))
    [step] = [step for step in told([snapshot(CUSTOMER, gone, asked, consulted)]) if step.name == "transfer"]
    assert (step.body["toParticipantId"], step.body["toUserId"], step.body["toQueueId"]) == ("b", USER, OTHER)


@pytest.mark.parametrize("since", [{}, {"startHoldTime": at(12)}], ids=["untimed", "timed"])
def test_each_hold_and_its_end(since):
    talking, holding = snapshot(CUSTOMER, agent()), snapshot(CUSTOMER, agent(held=True, **since))
    again = snapshot(CUSTOMER, agent(held=True, **{name: at(30) for name in since}))
    found = [step for step in told([talking, holding, holding, talking, again, talking]) if "hold" in step.name]
    assert [step.name for step in sorted(found, key=lambda step: step.name)] == ["hold", "hold", "unhold", "unhold"]
    assert len({step.id for step in found}) == 4


TALKING = snapshot(CUSTOMER, agent())
HELD, HELD_AGAIN = (snapshot(CUSTOMER, agent(held=True, startHoldTime=at(second))) for second in (12, 30))
MADE = {"backfilled": True}


def holds(memory, second, envelope, **more):
    """What a snapshot of that second tells of holds: the step, its second, and how long a hold lasted."""
    steps = [step for step in memory.take(envelope, epoch_ms_of(at(second)), **more) if step.name.endswith("hold")]
    return [(step.name, step.body["eventTime"] // 1000 % 60, step.body.get("heldDurationMs")) for step in steps]


def test_the_end_of_a_hold_that_came_live_is_told_afterwards_when_nobody_heard_it():
    memory = StepMemory()
    assert holds(memory, 12, HELD) == [("hold", 12, None)]
    assert holds(memory, 40, snapshot(CUSTOMER, agent(state="disconnected"))) == []
    assert holds(memory, 20, TALKING | MADE) == [("unhold", 20, 8_000)]
    assert holds(memory, 20, TALKING | MADE) == []


def test_of_a_hold_that_began_while_nobody_listened_the_end_is_told_though_it_came_live():
    memory = StepMemory()
    assert holds(memory, 10, TALKING) == holds(memory, 20, TALKING) == []
    assert holds(memory, 12, HELD | MADE) == [("hold", 12, None)]
    assert holds(memory, 20, TALKING | MADE, is_known=True) == [("unhold", 20, 8_000)]


def test_the_end_of_a_hold_is_that_of_the_newest_one():
    memory = StepMemory()
    told_live = [
        holds(memory, second, one) for second, one in ((12, HELD), (30, HELD_AGAIN), (33, TALKING), (34, TALKING))
    ]
    assert told_live == [[("hold", 12, None)], [("hold", 30, None)], [("unhold", 33, 3_000)], []]
    assert holds(memory, 20, TALKING | MADE) == [("unhold", 20, 8_000)]


def test_each_message_once_whoever_lists_it():
    first, second = ({"messageId": f"m{n}", "messageTime": at(n), "messageStatus": "received"} for n in (1, 2))
    customer = person("k", "customer", medium="messages", messages=[first], type="webmessaging")
    both = person("k", "customer", medium="messages", messages=[first, second], type="webmessaging")
    theirs = person("a", "agent", medium="messages", messages=[second], userId=USER)
    found = [step for step in told([snapshot(customer), snapshot(both, theirs)]) if step.name == "message"]
    assert [(step.body["messageId"], step.at_ms) for step in found] == [
        ("m1", 1_795_428_001_000),
        ("m2", 1_795_428_002_000),
    ]
    assert {step.body["messageType"] for step in found} == {"WEBMESSAGING"}


def test_attributes_tell_what_changed_and_a_value_that_comes_back():
    sequence = [{"a": "1"}, {"a": "1", "b": "2"}, {"a": "2", "b": "2"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2"}]
    envelopes = [snapshot({**CUSTOMER, "attributes": attributes}) for attributes in sequence]
    found = [step for step in told(envelopes) if step.name == "attributes"]
    assert [step.body["attributes"] for step in found] == [{"a": "1"}, {"b": "2"}, {"a": "2"}, {"a": "1"}]
    assert len({step.id for step in found}) == 4
    assert found[0].body["communications"] == [{"id": "s-k", "mediaType": "VOICE"}]


def test_an_attribute_that_is_null_is_none():
    sequence = [{"a": None}, {"a": "1"}, {"a": None, "b": "2"}]
    found = told([snapshot({**CUSTOMER, "attributes": attributes}) for attributes in sequence])
    assert [step.body["attributes"] for step in found if step.name == "attributes"] == [{"a": "1"}, {"b": "2"}]


def test_a_code_that_is_given_again_and_one_with_other_notes_are_steps_whichever_topics_tell_them():
    given = [{"code": "x"}, {"code": "y"}, {"code": "x"}, {"code": "x"}, {"code": "x", "notes": "n"}]
    envelopes = [snapshot(agent(state="disconnected", wrapup=one)) for one in given]
    by_user = [one | {"topicName": f"v2.users.{USER}.conversations"} for one in envelopes]
    memory = StepMemory()
    found = [step for pair in zip(envelopes, by_user, strict=True) for step in told(pair, memory)]
    wrapups = [step for step in found if step.name == "wrapup"]
    codes = [(step.body["wrapupCode"], step.body.get("wrapupNotes")) for step in wrapups]
    assert codes == [("x", None), ("y", None), ("x", None), ("x", "n")]
    assert len({step.id for step in wrapups}) == 4


@pytest.mark.parametrize(("seconds", "lasted"), [(10.5, 10_500), (3, 3_000), (True, None), ("3", None), (1e300, None)])
def test_how_long_a_wrapup_took(seconds, lasted):
    (step,) = (
        step
        for step in told([snapshot(agent(state="disconnected", wrapup={"code": "x", "durationSeconds": seconds}))])
        if step.name == "wrapup"
    )
    assert step.body.get("wrapupDurationMs") == lasted


def test_another_topic_tells_the_same_steps():
    by_user = [one | {"topicName": "v2.users.x.conversations"} for one in CALLBACK]
    assert [step.id for step in told(by_user)] == [step.id for step in told(CALLBACK)]
    memory = StepMemory()
    assert told(CALLBACK, memory)
    assert told(by_user, memory) == []


def test_the_variant_by_medium_tells_the_same_steps():
    fields = {"queue": {"id": QUEUE}, "user": {"id": USER}, "connectedTime": at(9)}
    flat = snapshot(CUSTOMER, agent(connectedTime=at(9)))
    nested = snapshot(
        {"id": "k", "purpose": "customer", "state": "connected", "connectedTime": at(0)},
        {"id": "a", "purpose": "agent", "state": "connected", **fields},
        topic=f"{TOPIC}.calls",
    )
    assert [step.id for step in told([nested])] == [step.id for step in told([flat])]
    assert told([nested])[1].body["mediaType"] == "VOICE"


def test_addresses_and_division():
    customer = person("k", "customer", direction="inbound", self={"addressNormalized": "+15550100"},
                      other={"addressNormalized": "+15550101"})  # fmt: skip
    (step,) = told([snapshot(customer, divisions=[{"division": {"id": "d1"}}])])
    fields = {name: step.body[name] for name in ("ani", "dnis", "divisionId", "direction", "mediaType")}
    assert fields == {
        "ani": "+15550100", "dnis": "+15550101", "divisionId": "d1", "direction": "INBOUND", "mediaType": "VOICE",
    }  # fmt: skip


@given(st.lists(st.integers(0, len(CALLBACK) - 1), min_size=1, max_size=12))
def test_law_any_of_the_snapshots_in_any_order_tell_steps_of_the_whole_each_once(order):
    whole = {step.id for step in told(CALLBACK)}
    found = [step.id for step in told([CALLBACK[number] for number in order])]
    assert len(found) == len(set(found))
    assert set(found) <= whole
    if max(order) == len(CALLBACK) - 1:
        assert set(found) | {step.id for step in told([CALLBACK[1]])} == whole


@given(st.integers(0, len(CALLBACK)))
def test_law_a_new_owner_that_knows_what_the_last_one_sent_tells_the_rest(at_snapshot):
    first, second = StepMemory(), StepMemory(covered_ms=NOW + at_snapshot * 1000)
    before = told(CALLBACK[:at_snapshot], first)
    for step in before:
        second.know(step.envelope(CALLBACK[0]))
    after = told(CALLBACK[at_snapshot:], second)
    assert {step.id for step in before} | {step.id for step in after} == {step.id for step in told(CALLBACK)}
    assert not {step.id for step in before} & {step.id for step in after}


def test_a_new_owner_does_not_tell_what_was_long_before_it():
    memory = StepMemory(covered_ms=NOW)
    assert memory.take(CALLBACK[-1], NOW) == []


def test_a_new_owner_tells_attributes_of_conversations_that_are_new_and_of_others_when_they_change():
    memory, old = StepMemory(covered_ms=1_795_428_120_000), {**CUSTOMER, "attributes": {"a": "1"}}
    assert memory.take(snapshot(old), NOW) == []
    assert [step.name for step in memory.take(snapshot({**old, "attributes": {"a": "2"}}), NOW)] == ["attributes"]
    new = {**CUSTOMER, "connectedTime": "2026-11-23T10:05:00.000Z", "attributes": {"a": "1"}}
    envelope = {**snapshot(), "eventBody": {"id": "c-2", "participants": [new]}}
    assert {step.name for step in memory.take(envelope, NOW)} == {"customer.start", "attributes"}


def test_what_the_query_tells_makes_the_same_steps():
    moment = {"segmentStart": at(9), "segmentEnd": at(20), "disconnectType": "CLIENT"}
    answer = {
        "conversationId": "c-1", "conversationStart": at(0),
        "participants": [
            {"participantId": "k", "purpose": "customer", "sessions": [{"sessionId": "s-k", "mediaType": "voice",
             "segments": [{"segmentType": "interact", "segmentStart": at(0)}]}]},
            {"participantId": "a", "purpose": "agent", "userId": USER, "sessions": [
                {"sessionId": "s-a", "mediaType": "voice", "segments": [
                    {"segmentType": "interact", "queueId": QUEUE, **moment},
                    {"segmentType": "wrapup", "segmentStart": at(20), "segmentEnd": at(40), "wrapUpCode": "done"}]}]},
        ],
    }  # fmt: skip
    live = [
        snapshot(CUSTOMER, agent(connectedTime=at(9))),
        snapshot(CUSTOMER, agent(state="terminated", connectedTime=at(9), endTime=at(20), startAcwTime=at(20),
                                 disconnectType="client")),
        snapshot(CUSTOMER, agent(state="terminated", connectedTime=at(9), endTime=at(20), startAcwTime=at(20),
                                 endAcwTime=at(40), disconnectType="client",
                                 wrapup={"code": "done", "endTime": at(40), "durationSeconds": 20})),
    ]  # fmt: skip
    interval = Interval(1_795_428_000_000, 1_795_428_060_000)
    memory, found = StepMemory(), []
    for one in snapshots(answer, interval, frozenset([TOPIC])):
        found += memory.take(one.envelope, one.moment_ms, one.since_ms)
    assert [(step.name, step.at_ms, step.id) for step in found] == [
        (step.name, step.at_ms, step.id) for step in told(live)
    ]
    assert all(first.at_ms <= second.at_ms for first, second in pairwise(found))


def test_memory_is_bounded():
    memory = StepMemory(capacity=10)
    for number in range(100):
        memory.take({**snapshot(CUSTOMER), "eventBody": {"id": f"c-{number}", "participants": [CUSTOMER]}}, NOW)
    assert len(memory) == 10


def test_an_ended_conversation_is_forgotten_after_a_while():
    memory = StepMemory()
    gone = person("k", "customer", "disconnected", endTime=at(9))
    memory.take({**snapshot(CUSTOMER), "eventBody": {"id": "c-2", "participants": [CUSTOMER]}}, NOW - 60_000)
    memory.take(snapshot(gone), NOW)
    memory.take(snapshot(CUSTOMER) | MADE, NOW - 1_000)  # what is told of the past does not make it go on again
    assert len(memory) == 2
    memory.take({**snapshot(CUSTOMER), "eventBody": {"id": "c-3", "participants": [CUSTOMER]}}, NOW + 3_600_000)
    assert len(memory) == 2
    assert memory.knows({"eventBody": {"id": "c-2"}}), "what goes on holds up nothing that is over"


@pytest.mark.parametrize("body", [None, "text", {}, {"id": None}, {"id": "c", "participants": [None, {}, {"id": 5}]}])
def test_what_is_no_snapshot_tells_nothing(body):
    assert told([{"topicName": TOPIC, "eventBody": body}]) == []
