"""Tests of states in one vocabulary, and of what is told of the past against what came live."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.genesys.analytics.snapshots import snapshots
from processors.genesys.interval import Interval
from processors.genesys.seen_states import SeenStates
from processors.genesys.states import Shape, State, exact, snapshot_key, state_of

QUEUE = "11111111-1111-4111-8111-111111111111"
USER = "22222222-2222-4222-8222-222222222222"
CONVERSATION = "33333333-3333-4333-8333-333333333333"


def snapshot(participants, topic=f"v2.routing.queues.{QUEUE}.conversations"):
    return {"topicName": topic, "version": "2", "eventBody": {"id": CONVERSATION, "participants": participants}}


def agent(state="connected", **fields):
    return {"id": "a", "purpose": "agent", "userId": USER, "calls": [{"id": "c", "state": state}], **fields}


def shapes(envelope):
    """What live snapshots and the query can both tell."""
    return state_of(envelope).shapes


def how(number, details=0):
    """A state by number."""
    return State({("p", "VOICE", 0): Shape(str(number), False, False)}, details)


def unseen(states, number, at_ms, until_ms=None, conversation="c"):
    """Whether a told state is news; it was so until the given time, or until nobody knows when."""
    return states.is_unseen(("t", conversation), how(number), exact(how(number), at_ms, until_ms))


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (agent(attributes={"k": "v"}), True),
        (agent(connectedTime="2026-01-01T00:00:00Z"), True),
        (agent("terminated"), False),
        (agent(wrapup={"code": "done"}), False),
        (agent(queueId=QUEUE), True),
        (agent(id="another"), False),
        ({**agent(), "calls": [{"id": "c", "state": "connected", "held": True}]}, False),
    ],
    ids=[
        "attributes",
        "a time",
        "state",
        "wrap-up",
        "queue, which the query does not always tell",
        "participant",
        "held",
    ],
)
def test_state_of_a_snapshot_is_its_participants_states(changed, same):
    before = shapes(snapshot([agent()]))
    assert (shapes(snapshot([changed])) == before) is same


def test_state_does_not_depend_on_the_order_and_flat_equals_nested():
    customer = {"id": "k", "purpose": "customer", "calls": [{"state": "connected"}]}
    assert shapes(snapshot([agent(), customer])) == shapes(snapshot([customer, agent()]))
    flat = {"id": "a", "purpose": "agent", "userId": USER, "queueId": QUEUE, "chats": [{"state": "alerting"}]}
    nested = {
        "id": "a",
        "purpose": "agent",
        "user": {"id": USER},
        "queue": {"id": QUEUE},
        "state": "alerting",
    }
    variant = f"v2.routing.queues.{QUEUE}.conversations.chats"
    assert shapes(snapshot([flat])) == shapes(snapshot([nested], variant))


@pytest.mark.parametrize(
    "envelope",
    [
        {"topicName": f"v2.routing.queues.{QUEUE}.users", "eventBody": {"participants": []}},
        {"topicName": f"v2.detail.events.conversation.{CONVERSATION}.acd.start", "eventBody": {}},
        snapshot("no list"),
        {"topicName": f"v2.routing.queues.{QUEUE}.conversations", "eventBody": None},
        {},
    ],
)
def test_other_events_have_no_state(envelope):
    assert state_of(envelope) is None


def test_participants_without_an_id_count_by_their_place():
    nameless = [{"purpose": "agent", "calls": [{"state": state}]} for state in ("alerting", "connected")]
    assert shapes(snapshot(nameless[:1])) != shapes(snapshot(nameless[1:]))


def test_key_of_a_snapshot_is_topic_and_conversation():
    assert snapshot_key(snapshot([])) == (f"v2.routing.queues.{QUEUE}.conversations", CONVERSATION)


def test_a_state_is_a_change_unless_it_is_the_last_one():
    states = SeenStates()
    seen = [states.is_change(("t", "c"), how(state), at_ms) for at_ms, state in enumerate((1, 1, 2, 2, 1))]
    assert seen == [True, False, True, False, True]
    assert states.is_change(("t", "another"), how(1), 0)


def test_a_backfilled_state_is_unseen_unless_it_was_seen_at_its_time_or_later():
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 10_100)
    states.is_change(("t", "c"), how(3), 30_100)
    told = [(10_000, 1), (20_000, 2), (21_000, 2), (30_000, 3), (40_000, 3)]
    assert [unseen(states, state, at_ms, None, "c") for at_ms, state in told] == [False, True, False, False, False]
    assert not states.is_change(("t", "c"), how(3), 50_000), "history does not move the present"


def test_a_state_that_came_back_while_nobody_listened_is_unseen():
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 10_100)
    told = [(10_000, 1), (20_000, 2), (25_000, 1), (26_000, 1)]
    assert [unseen(states, state, at_ms, None, "c") for at_ms, state in told] == [False, True, True, False]
    assert not states.is_change(("t", "c"), how(1), 30_000)


def test_a_state_that_came_late_was_seen():
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 19_000)
    states.is_change(("t", "c"), how(2), 19_001)
    assert not unseen(states, 1, 10_000, 11_000, "c")
    assert not unseen(states, 2, 11_000, None, "c")


def test_what_came_back_later_tells_nothing_of_the_time_before():
    states = SeenStates()
    connected, held = 1, 2
    states.is_change(("t", "c"), how(connected), 1_000)
    states.is_change(("t", "c"), how(held), 60_000)  # held once more, before the query tells of the gap
    told = [(10_000, held, 20_000), (20_000, connected, 59_900), (59_900, held, None)]
    assert [unseen(states, state, at_ms, until, "c") for at_ms, state, until in told] == [True, True, False]


def test_a_state_that_came_back_at_once_is_unseen_though_clocks_may_differ():
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 14_500)
    assert unseen(states, 2, 15_000, 16_000, "c")
    assert unseen(states, 1, 16_000, None, "c")


def test_a_state_comes_back_when_another_was_there_since():
    states = SeenStates()
    assert not states.came_back(("t", "c"), how(1), 1_000, is_new=True)
    states.is_change(("t", "c"), how(1), 1_000, "one")
    assert not states.came_back(("t", "c"), how(1), 9_000, is_new=True)
    states.is_change(("t", "c"), how(2), 2_000, "one")
    back = [states.came_back(("t", "c"), how(number), 9_000, is_new=False) for number in (1, 2, 3)]
    assert back == [True, False, False]


@pytest.mark.parametrize(("at_ms", "channel", "is_return"), [(2_100, "one", True), (2_100, "two", False),
                                                             (2_100, None, False), (3_000, "two", True)])  # fmt: skip
def test_soon_after_it_only_the_channel_that_brought_all_since_tells_that_a_state_came_back(at_ms, channel, is_return):
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 1_000, "one")
    states.is_change(("t", "c"), how(2), 2_000, "one")
    assert states.came_back(("t", "c"), how(1), at_ms, is_new=False, channel=channel) is is_return


def test_what_the_query_told_is_no_change_when_it_comes_live_with_all_that_it_told():
    states, key = SeenStates(), ("t", "c")
    states.recall(key, how(1, details=7), 1_000, from_query=True)
    assert not states.is_change(key, how(1, details=7), 2_000)
    assert states.is_change(key, how(1, details=8), 3_000), "it shows what the query does not tell"


def test_a_clock_that_is_a_little_behind_makes_no_state_unseen():
    states = SeenStates()
    states.is_change(("t", "c"), how(1), 9_000)
    states.is_change(("t", "c"), how(2), 9_500)
    assert not unseen(states, 1, 10_000, None, "c")


@given(st.permutations(range(6)))
def test_states_may_be_recalled_in_any_order(order):
    states = SeenStates()
    for number in order:
        states.recall(("t", "c"), how(number % 4), number * 10_000, from_query=False)
    assert not states.is_change(("t", "c"), how(5 % 4), 60_000)
    assert not unseen(states, 5 % 4, 50_000, None, "c")
    assert states.is_change(("t", "c"), how(3), 70_000)


def test_a_live_state_is_the_newest_though_the_last_one_told_is_ahead_of_the_clock():
    states = SeenStates()
    unseen(states, 1, 10_000, None, "c")
    assert states.is_change(("t", "c"), how(2), 9_000)
    assert not states.is_change(("t", "c"), how(2), 9_100)


def test_memory_of_states_is_bounded_and_keeps_the_lively():
    states = SeenStates(capacity=10, states=3)
    for number in range(100):
        states.is_change(("t", "lively"), how(number), number * 10_000)
        states.is_change(("t", str(number)), how(1), 0)
    assert len(states) == 10
    assert not states.is_change(("t", "lively"), how(99), 1_000_000)
    assert unseen(states, 0, 0, None, "lively")


def test_a_change_is_known_though_another_follows_at_once_on_what_changes_next():
    def at(ms):
        return f"2026-11-23T10:00:00.{ms:03}Z" if ms < 1000 else f"2026-11-23T10:00:0{ms // 1000}.000Z"

    def told(ident, *segments):
        parts = [{"segmentType": kind, "segmentStart": at(ms), "queueId": QUEUE} for kind, ms in segments]
        return {"participantId": ident, "purpose": "agent", "sessions": [{"sessionId": ident, "segments": parts}]}

    topic = f"v2.routing.queues.{QUEUE}.conversations"
    people = [told("a", ("interact", 100)), told("b", ("alert", 150), ("interact", 5_000))]
    answer = {"conversationId": CONVERSATION, "participants": people}
    first = next(snapshots(answer, Interval(0, 2**53), frozenset([topic])))
    states = SeenStates()
    live = {**snapshot([agent()]), "topicName": topic}
    states.is_change(snapshot_key(live), state_of(live), first.moment_ms + 7)
    assert not states.is_unseen(snapshot_key(live), state_of(first.envelope), first.change)


def test_what_is_over_for_half_an_hour_is_forgotten_and_what_goes_on_is_not():
    states = SeenStates()
    over = State({("p", "VOICE", 0): Shape("ended", False, False)}, 0)
    states.is_change(("t", "goes on"), how(1), 1_000)
    states.is_change(("t", "over"), over, 2_000)
    states.is_change(("t", "later"), how(1), 1_790_000)
    assert len(states) == 3
    states.is_change(("t", "still later"), how(1), 1_862_000)
    assert len(states) == 3
    assert not states.is_change(("t", "goes on"), how(1), 1_863_000)


def test_states_of_one_conversation_share_the_texts_of_their_frames():
    states = SeenStates()
    for number in range(3):
        place = ("".join(["participant", "-1"]), "VOICE", 0)
        states.is_change(("t", "c"), State({place: Shape(str(number), False, False)}, 0), number)
    places = [next(iter(one.state.shapes)) for one in states._seen["t", "c"]]
    assert len(places) == 3
    assert len({id(place) for place in places}) == 1
