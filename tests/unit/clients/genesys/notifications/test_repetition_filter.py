"""Tests of what goes on: not what an earlier owner of the part sent, as it is or in another shape."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.notifications.repetition_filter import RepetitionFilter
from clients.genesys.queues import QueueNames
from processors.event.identity import derive_event_id
from processors.event.redaction import redactor
from processors.genesys.analytics.snapshots import Snapshot
from processors.genesys.frames import read_frame
from processors.genesys.times import event_time
from tests.unit.clients.genesys.unpacking import unparsed

TOPIC = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.conversations"

PAST_MS = 1_606_125_600_000
PAST = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:00.000Z"}}


def frame(*states, **more):
    people = [{"id": f"p{n}", "purpose": "agent", "calls": [{"state": state}]} for n, state in enumerate(states)]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people, **more}})


def received(value, at_ms=PAST_MS + 600_000, channel="one"):
    return ReceivedFrame(value, read_frame(value), at_ms, at_ms, channel)


def told(state, seconds, until=None):
    """As the query tells: the conversation was so from `seconds` to `until` after PAST_MS."""
    at_ms = PAST_MS + seconds * 1000
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    envelope = orjson.loads(frame(state)) | {"backfilled": True, "metadata": {"moment": moment}}
    return Snapshot(envelope, at_ms, None if until is None else PAST_MS + until * 1000)


def event_in(line):
    return orjson.loads(unparsed(line))


async def states_on(sieve, *items):
    """The states that go on, of live frames `(state, seconds)`, with their channel, and of told ones."""
    found = []
    for item in items:
        if isinstance(item, Snapshot):
            lines = await sieve.past(item)
        else:
            lines = await sieve.live(received(frame(item[0]), PAST_MS + item[1] * 1000, *item[2:]))
        for line in lines:
            event = event_in(line)
            found.append((event["eventBody"]["participants"][0]["calls"][0]["state"], derive_event_id(event)))
    assert len({event_id for _, event_id in found}) == len(found), "an id came twice"
    return [state for state, _ in found]


@pytest.fixture
async def sieve(rest):
    names = QueueNames(rest)
    yield RepetitionFilter(rest, names, window=300.0, drop_unchanged=True, events=("snapshots",))
    await names.aclose()


async def test_what_an_earlier_owner_sent_does_not_go_on(sieve, observer):
    sieve.remember(orjson.loads(frame("connected")), 0)
    assert await sieve.live(received(frame("connected"))) == []
    assert observer.counts["frame_duplicate"] == 1


async def test_a_state_that_an_earlier_owner_sent_is_no_change(sieve, observer):
    sieve.remember(orjson.loads(frame("connected")), 0)
    assert await sieve.live(received(frame("connected", score=5))) == []
    assert observer.counts["frame_unchanged"] == 1


async def test_a_backfilled_state_that_an_earlier_owner_sent_live_is_known(sieve, observer):
    sieve.remember(orjson.loads(frame("alerting")), PAST_MS + 100)
    sieve.remember(orjson.loads(frame("connected")), PAST_MS + 5_000)
    assert await sieve.past(told("alerting", 0, 5)) == []
    assert observer.counts["backfill_known"] == 1


async def test_what_an_earlier_owner_sent_may_be_read_in_any_order(sieve, observer):
    sieve.remember(orjson.loads(frame("terminated")), 20_000)
    sieve.remember(orjson.loads(frame("connected")), 10_000)
    assert await sieve.live(received(frame("terminated", score=5))) == []
    assert observer.counts["frame_unchanged"] == 1


async def test_what_an_earlier_owner_backfilled_is_known_by_its_moment(sieve, observer):
    sieve.remember(orjson.loads(frame("terminated")), PAST_MS + 5_000)
    sieve.remember(orjson.loads(frame("connected")) | PAST, PAST_MS + 9_000)
    assert await sieve.live(received(frame("terminated", score=5))) == []
    assert observer.counts["frame_unchanged"] == 1


async def test_states_that_came_back_in_a_gap_go_on(sieve):
    items = [told("connected", 0, 5), told("held", 5, 9), told("connected", 9, 20), told("held", 20)]
    assert await states_on(sieve, *items) == ["connected", "held", "connected", "held"]
    assert await states_on(sieve, *items) == [], "asked twice"


async def test_a_state_that_came_back_while_a_gap_was_not_healed_is_told(sieve):
    live = [("connected", 0), ("connected", 30)]  # held in between, while nobody listened
    assert await states_on(sieve, *live) == ["connected"]
    assert await states_on(sieve, told("held", 10, 30), told("connected", 30)) == ["held", "connected"]


async def test_a_state_that_comes_back_live_goes_on_though_its_body_is_that_of_the_first_time(sieve):
    live = [("connected", 0), ("held", 10), ("connected", 20), ("held", 30), ("connected", 40)]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held", "connected"]


async def test_what_two_channels_bring_side_by_side_is_no_coming_back(sieve, observer):
    live = [("connected", 0), ("held", 1), ("connected", 1, "two"), ("held", 1, "two"), ("held", 2)]
    assert await states_on(sieve, *live) == ["connected", "held"]
    assert observer.counts["frame_duplicate"] == 3


async def test_what_one_channel_alone_brings_again_has_come_back_however_soon(sieve):
    live = [("connected", 0), ("connected", 0.05), ("held", 0.1), ("connected", 0.2), ("held", 0.3), ("held", 0.35)]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held"]


async def test_what_comes_back_while_two_channels_bring_it_goes_on_once(sieve):
    live = [(state, 0.1, channel) for state in ("connected", "held") for channel in ("one", "two")]
    live += [("connected", 0.2, "one"), ("held", 0.3, "one"), ("connected", 0.3, "two"), ("held", 0.4, "two")]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held"]


async def test_a_coming_back_that_two_channels_bring_goes_on_once(sieve):
    live = [("connected", 0), ("held", 10), ("connected", 20), ("connected", 20), ("held", 30), ("held", 31)]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held"]


async def test_what_came_back_before_another_owner_took_over_is_known(sieve):
    for state, seconds, more in (("connected", 0, {}), ("held", 10, {}), ("connected", 20, {"again": 1})):
        sieve.remember(orjson.loads(frame(state)) | more, PAST_MS + seconds * 1000)
    assert await states_on(sieve, told("held", 10, 20), told("connected", 20), ("connected", 40)) == []


async def test_what_is_new_goes_on(sieve):
    sieve.remember(orjson.loads(frame("connected")), 0)
    assert [unparsed(line) for line in await sieve.live(received(frame("terminated")))] == [frame("terminated")]


async def test_a_live_snapshot_that_repeats_what_was_backfilled_as_the_newest_is_no_change(sieve, observer):
    assert await states_on(sieve, told("connected", 0, 5), told("terminated", 5)) == ["connected", "terminated"]
    assert await sieve.live(received(frame("terminated", score=5))) == []
    assert observer.counts["frame_unchanged"] == 1


async def test_what_was_backfilled_from_before_the_newest_does_not_move_the_present(sieve, observer):
    assert await sieve.live(received(frame("terminated"))) != []
    assert await sieve.past(told("connected", 0, 599)) != []
    assert await sieve.live(received(frame("terminated", score=5))) == []


MEMBERS = "v2.routing.queues.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.users"


def member(joined):
    return orjson.dumps({"topicName": MEMBERS, "eventBody": {"id": "u", "joined": joined}, "metadata": {}})


async def brought(sieve, *items):
    """What goes on of values without a time, brought as `(value, seconds, channel)`."""
    found = []
    for value, seconds, channel in items:
        at_ms = PAST_MS + int(seconds * 1000)
        found += await sieve.live(ReceivedFrame(value, read_frame(value), at_ms, at_ms, channel))
    return [event_in(line) for line in found]


@pytest.mark.parametrize("seconds", [0.001, 20], ids=["at once", "within a minute"])
async def test_a_value_that_comes_back_is_an_event_with_an_id_of_its_own(sieve, seconds):
    items = [(member(joined), number * seconds, "one") for number, joined in enumerate((True, False, True))]
    found = await brought(sieve, *items)
    assert [event["eventBody"]["joined"] for event in found] == [True, False, True]
    assert len({derive_event_id(event) for event in found}) == 3


async def test_a_value_that_two_channels_bring_goes_on_once(sieve, observer):
    values = [member(joined) for joined in (True, False, True)]
    items = [(value, number, channel) for number, value in enumerate(values) for channel in ("one", "two", "two")]
    assert len(await brought(sieve, *items)) == 3
    assert observer.counts["frame_duplicate"] == 6


async def test_what_an_earlier_owner_sent_of_a_topic_is_known_and_its_return_is_another_event(rest, sieve):
    first = await brought(sieve, (member(True), 0, "one"), (member(False), 10, "one"))
    later = RepetitionFilter(rest, sieve._names, window=300.0, drop_unchanged=True, covered_ms=PAST_MS + 10_000)
    for number, event in enumerate(first):
        later.remember(event, PAST_MS + number * 10_000)
    assert await brought(later, (member(False), 12, "two")) == []
    (back,) = await brought(later, (member(True), 20, "two"))
    assert derive_event_id(back) not in {derive_event_id(event) for event in first}


async def test_a_takeover_without_memory_gives_no_old_id_to_a_value_that_may_have_come_back(rest, sieve):
    (first,) = await brought(sieve, (member(True), 0, "one"))
    later = RepetitionFilter(rest, sieve._names, window=300.0, drop_unchanged=True, covered_ms=PAST_MS)
    (back,) = await brought(later, (member(True), 60, "two"))
    assert derive_event_id(back) != derive_event_id(first)


def spoken(*messages, **attributes):
    talk = {"state": "connected", "messages": [{"messageId": one} for one in messages]}
    people = [{"id": "p", "purpose": "customer", "attributes": attributes, "messages": [talk]}]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people}})


async def test_a_new_message_and_a_changed_attribute_are_events(sieve, observer):
    values = [spoken("m1"), spoken("m1", "m2"), spoken("m1", "m2", "m3"), spoken("m1", "m2", "m3", survey="5")]
    assert len(await brought(sieve, *((value, number, "one") for number, value in enumerate(values)))) == 4
    assert observer.counts["frame_unchanged"] == 0


def waiting(priority=0, skills=(), **whole):
    routing = {"priority": priority, "skills": [{"id": skill} for skill in skills]}
    people = [{"id": "q", "purpose": "acd", "calls": [{"state": "connected"}], "conversationRoutingData": routing}]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people, **whole}})


async def test_what_an_event_tells_of_a_conversation_makes_a_change_when_it_changes(sieve, observer):
    values = [waiting(), waiting(7), waiting(7, ["s"]), waiting(7, ["s"], recordingState="active"),
              waiting(7, ["s"], recordingState="active", externalTag="x"), waiting(7, ["s"])]  # fmt: skip
    assert len(await brought(sieve, *((value, number, "one") for number, value in enumerate(values)))) == 6
    assert await brought(sieve, (waiting(7, ["s"], recordingState="none", isLocked=True), 60, "one")) == []
    assert observer.counts["frame_unchanged"] == 1


#: From PAST_MS to 2026-11-23T10:01:00Z.
YEARS_S = 189_302_460


def since(second, attributes=None, **session):
    """A call connected since then: nothing in it says when anything else changed."""
    talk = {"state": "connected", "connectedTime": f"2026-11-23T10:00:{second:02}.000Z", **session}
    people = [{"id": "p", "purpose": "agent", "attributes": attributes or {}, "calls": [talk]}]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people}})


async def test_a_change_without_a_time_of_its_own_does_not_carry_that_of_the_change_before(sieve):
    values = [since(3), since(3, attributes={"a": "1"}), since(3, held=True, startHoldTime="2026-11-23T10:00:09.000Z"),
              since(3, attributes={"a": "2"})]  # fmt: skip
    events = await brought(sieve, *((value, YEARS_S + number, "one") for number, value in enumerate(values)))
    first_ms = PAST_MS + YEARS_S * 1000
    assert [event.get("changedAt") for event in events] == [None, first_ms + 1_000, None, first_ms + 3_000]
    assert [event_time(event) for event in events] == [
        "2026-11-23T10:00:03.000Z", "2026-11-23T10:01:01.000Z", "2026-11-23T10:00:09.000Z", "2026-11-23T10:01:03.000Z"
    ]  # fmt: skip


async def test_an_earlier_owners_snapshot_is_the_one_before(sieve):
    sieve.remember(orjson.loads(since(3)), PAST_MS)
    [line] = await sieve.live(received(since(3, attributes={"a": "1"})))
    assert event_in(line)["changedAt"] == PAST_MS + 600_000
    assert derive_event_id(event_in(line)) == derive_event_id(orjson.loads(since(3, attributes={"a": "1"})))


@pytest.fixture
async def both(rest):
    names = QueueNames(rest)
    yield lambda **options: RepetitionFilter(rest, names, window=300.0, drop_unchanged=True, **options)
    await names.aclose()


ELSEWHERE = "v2.routing.queues.33333333-3333-4333-8333-333333333333.conversations"


@pytest.mark.parametrize(("topics", "minutes", "told"), [
    ({ELSEWHERE}, 20, ["acd.start"]),
    ({ELSEWHERE}, 1, ["customer.start", "user.start", "user.end", "acd.start"]),
    ({f"{ELSEWHERE}.chats"}, 20, ["customer.start", "user.start", "user.end", "acd.start"]),
    (set(), 20, ["customer.start", "user.start", "user.end", "acd.start"]),
], ids=["long ago", "a minute ago", "of another medium", "nobody else listens"])  # fmt: skip
async def test_what_another_part_told_long_ago_is_not_told_when_a_conversation_comes_over(both, topics, minutes, told):
    now_ms = PAST_MS + YEARS_S * 1000
    began, came = (
        datetime.fromtimestamp(at_ms / 1000, UTC).isoformat() for at_ms in (now_ms - minutes * 60_000, now_ms)
    )
    agent = {
        "id": "a",
        "purpose": "agent",
        "queueId": ELSEWHERE.split(".")[3],
        "connectedTime": began,
        "endTime": began,
    }
    people = [
        {"id": "k", "purpose": "customer", "connectedTime": began, "calls": [{"state": "connected"}]},
        {**agent, "calls": [{"state": "terminated"}]},
        {"id": "q", "purpose": "acd", "connectedTime": came, "calls": [{"state": "connected"}]},
    ]
    value = orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people}})
    lines = await both(elsewhere=lambda: topics, events=("steps",)).live(received(value, now_ms + 100))
    assert [event_in(line)["topicName"].partition(".c.")[2] for line in lines] == told


def names_of(lines):
    return [event_in(line)["topicName"].rpartition("c.")[2] for line in lines]


async def test_steps_go_on_before_their_snapshot(both):
    sieve = both()
    assert names_of(await sieve.live(received(frame("alerting")))) == ["user.start", TOPIC]
    assert names_of(await sieve.live(received(frame("terminated")))) == ["user.end", TOPIC]


@pytest.mark.parametrize(
    ("events", "names"), [(("steps",), ["user.start"]), (("snapshots",), [TOPIC])], ids=["steps", "snapshots"]
)
async def test_either_goes_on_alone(both, events, names):
    sieve = both(events=events)
    assert names_of(await sieve.live(received(frame("alerting")))) == names
    assert await sieve.live(received(frame("alerting", score=5))) == []


async def test_what_is_masked_in_a_snapshot_is_masked_in_its_steps(both):
    sieve = both(redact=redactor(["eventBody.participants.attributes.email"]))
    lines = await sieve.live(received(spoken(email="ann@example.com", plan="gold")))
    told = [event for event in map(event_in, lines) if event["topicName"].endswith(".attributes")]
    assert [event["eventBody"]["attributes"] for event in told] == [{"email": "[redacted]", "plan": "gold"}]


async def test_a_backfilled_snapshot_tells_the_steps_that_nobody_heard(both):
    sieve = both()
    await sieve.live(received(frame("alerting"), PAST_MS))
    assert names_of(await sieve.past(told("alerting", 0, 5))) == []
    (step, snapshot) = map(event_in, await sieve.past(told("terminated", 5)))
    assert (step["topicName"].rpartition("c.")[2], step["backfilled"]) == ("user.end", True)
    assert snapshot["topicName"] == TOPIC
    live = await sieve.live(received(frame("terminated", score=5), PAST_MS + 20_000))
    assert live == [], "the step and the state are known"


@given(st.lists(st.sampled_from(["alerting", "connected", "terminated"]), min_size=1, max_size=6), st.integers(0, 6))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_step_is_lost_or_told_twice_when_another_owner_takes_over(both, states, taken_over_at):
    first, whole = both(), both()
    frames = [(received(frame(state), PAST_MS + number * 10_000)) for number, state in enumerate(states)]
    expected = [line for one in frames for line in await whole.live(one)]
    before = [(line, one.at_ms) for one in frames[:taken_over_at] for line in await first.live(one)]
    second = both(covered_ms=PAST_MS + taken_over_at * 10_000 - 5_000)
    for line, at_ms in before:
        second.remember(event_in(line), at_ms)
    after = [line for one in frames[taken_over_at:] for line in await second.live(one)]
    ids = [derive_event_id(event_in(line)) for line in [*(line for line, _ in before), *after]]
    assert ids == [derive_event_id(event_in(line)) for line in expected]


WHOLE = {
    "topicName": TOPIC,
    "version": "2",
    "metadata": {"CorrelationId": "x"},
    "eventBody": {
        "id": "c",
        "startTime": "2020-11-23T10:00:00.000Z",
        "recordingState": "none",
        "divisions": [{"division": {"id": "d"}, "entities": [{"id": "c"}]}],
        "recentTransfers": [{"dateIssued": "2020-11-23T10:00:00.000Z"}],
        "participants": [
            {"id": "p0", "purpose": "customer", "calls": [{"id": "s0", "state": "connected", "self": {}, "other": {}}]},
            {
                "id": "p1",
                "purpose": "acd",
                "queueId": "11111111-1111-4111-8111-111111111111",
                "endTime": "2020-11-23T10:00:00.000Z",
                "conversationRoutingData": {"priority": 1, "skills": [{"id": "k"}], "language": {"id": "l"}},
                "messages": [
                    {
                        "id": "s1",
                        "state": "disconnected",
                        "disconnectType": "transfer",
                        "messages": [{"messageId": "m"}],
                    }
                ],
            },
            {
                "id": "p2",
                "purpose": "agent",
                "user": {"id": "u"},
                "queue": {"id": "11111111-1111-4111-8111-111111111111"},
                "attributes": {"a": "b"},
                "consultParticipantId": "p3",
                "wrapup": {"code": "w", "notes": "n", "durationSeconds": 3, "endTime": "2020-11-23T10:00:00.000Z"},
                "calls": [
                    {
                        "id": "s2",
                        "state": "connected",
                        "held": True,
                        "startHoldTime": "2020-11-23T10:00:00.000Z",
                        "afterCallWork": {"state": "complete", "startTime": 1606125600000},
                    }
                ],
            },
        ],
    },
}


def places(value, *path):
    """The path of every member in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*path, name)
        yield from places(item, *path, name)


def changed(value, path, new):
    """It with another value at a path."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("odd", [None, "x", -1.5, True, [None, 1], {"id": {}}], ids=repr)
async def test_a_member_of_another_kind_ends_nothing(rest, odd):
    """Whatever Genesys puts into a field, the frames behind it are read."""
    names = QueueNames(rest)
    names.learn({"11111111-1111-4111-8111-111111111111": "Support"})
    for path in places(WHOLE):
        sieve = RepetitionFilter(rest, names, window=300.0, drop_unchanged=True)
        envelope = changed(WHOLE, path, odd)
        await sieve.live(received(orjson.dumps(envelope)))
        sieve.remember(envelope, PAST_MS)
        assert await sieve.live(received(frame("connected", more=1))), path
    await names.aclose()
