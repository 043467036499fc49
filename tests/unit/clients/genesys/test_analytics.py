"""Tests of the analytics query: its body, pages, windows, and the events made of its answers."""

import json

import httpx
import pytest

from clients.genesys.analytics import Backfilled, ConversationQuery
from clients.genesys.queues import QueueNames
from clients.genesys.rest.errors import PermissionMissingError
from processors.genesys.interval import Interval, epoch_ms_of
from processors.genesys.topics.plan import TopicPlan

QUEUE = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
START = epoch_ms_of("2026-11-23T10:00:00Z")
MINUTE = 60_000


def conversation(ident, queue=QUEUE):
    segment = {"segmentType": "interact", "segmentStart": "2026-11-23T10:00:01.000Z", "queueId": queue}
    sessions = [{"sessionId": "s", "mediaType": "chat", "segments": [segment]}]
    return {
        "conversationId": ident,
        "participants": [{"participantId": "p", "purpose": "acd", "sessions": sessions}],
    }


def pages(everything):
    def answer(request):
        paging = json.loads(request.content)["paging"]
        start = (paging["pageNumber"] - 1) * paging["pageSize"]
        page = everything[start : start + paging["pageSize"]]
        return httpx.Response(200, json={"conversations": page, "totalHits": len(everything)} if page else {})

    return answer


async def collected(source):
    return [one async for one in source]


async def test_the_query_is_bounded_filtered_and_ordered(rest, server):
    server.answers = [httpx.Response(200, json={})]
    assert await collected(ConversationQuery(rest).during(Interval(START, START + MINUTE), [QUEUE])) == []
    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", "/api/v2/analytics/conversations/details/query")
    assert json.loads(request.content) == {
        "interval": "2026-11-23T10:00:00.000Z/2026-11-23T10:01:00.000Z",
        "order": "asc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": 100, "pageNumber": 1},
        "segmentFilters": [
            {
                "type": "or",
                "predicates": [{"type": "dimension", "dimension": "queueId", "operator": "matches", "value": QUEUE}],
            }
        ],
    }


@pytest.mark.parametrize("count", [0, 1, 100, 101, 200, 250])
async def test_every_page_is_read(rest, server, count):
    server.answers = [pages([conversation(f"c-{number}") for number in range(count)])]
    found = await collected(ConversationQuery(rest).during(Interval(START, START + MINUTE)))
    assert [one["conversationId"] for one in found] == [f"c-{number}" for number in range(count)]


async def test_a_page_may_hold_less_than_was_asked_for(rest, server):
    everything = [conversation(f"c-{number}") for number in range(70)]

    def page(request):
        start = (json.loads(request.content)["paging"]["pageNumber"] - 1) * 25
        return httpx.Response(200, json={"conversations": everything[start : start + 25], "totalHits": 70})

    server.answers = [page]
    found = await collected(ConversationQuery(rest).during(Interval(START, START + MINUTE)))
    assert len(found) == 70
    assert len(server.requests) == 3


async def test_a_server_that_gives_the_same_page_for_ever_is_not_asked_for_ever(rest, server):
    page = {"conversations": [conversation(f"c-{number}") for number in range(100)]}
    server.answers = [httpx.Response(200, json=page)]
    await collected(ConversationQuery(rest).during(Interval(START, START + MINUTE)))
    assert len(server.requests) == 2


async def test_a_long_interval_is_asked_in_windows(rest, server):
    server.answers = [httpx.Response(200, json={})]
    query = ConversationQuery(rest, window_ms=MINUTE)
    await collected(query.during(Interval(START, START + 2 * MINUTE + 1_000)))
    intervals = [json.loads(request.content)["interval"] for request in server.requests]
    assert intervals == [
        "2026-11-23T10:00:00.000Z/2026-11-23T10:01:00.000Z",
        "2026-11-23T10:01:00.000Z/2026-11-23T10:02:00.000Z",
        "2026-11-23T10:02:00.000Z/2026-11-23T10:02:01.000Z",
    ]


@pytest.mark.parametrize(
    ("topics", "named"),
    [
        ([f"v2.routing.queues.{QUEUE}.conversations"], 1),
        ([f"v2.routing.queues.{number:08x}.conversations" for number in range(101)], 0),
        ([f"v2.routing.queues.{QUEUE}.conversations", f"v2.users.{QUEUE}.conversations"], 0),
    ],
    ids=["one queue", "too many to name", "users as well"],
)
async def test_queues_are_named_in_the_query_when_that_helps(rest, server, topics, named):
    server.answers = [httpx.Response(200, json={})]
    await collected(ConversationQuery(rest).events(Interval(START, START + MINUTE), topics))
    filters = json.loads(server.requests[0].content).get("segmentFilters", [])
    assert sum(len(one["predicates"]) for one in filters) == named


async def test_events_are_those_of_the_topics_listened_to(rest, server):
    server.answers = [pages([conversation("ours"), conversation("theirs", "another"), None, {}])]
    events = await collected(
        ConversationQuery(rest).events(Interval(START, START + MINUTE), [f"v2.routing.queues.{QUEUE}.conversations"])
    )
    assert [told.envelope["eventBody"]["id"] for told in events] == ["ours"]
    assert events[0].envelope["backfilled"] is True


async def test_backfill_by_hand_gives_frames_with_the_queue_named(rest, server):
    names = QueueNames(rest)
    names.learn({QUEUE: "Sales"})
    server.answers = [pages([conversation("ours")])]
    plan = TopicPlan((f"v2.routing.queues.{QUEUE}?conversations&users",))
    (frame,) = await collected(Backfilled(rest, plan, names, ("snapshots",)).during(Interval(START, START + MINUTE)))
    assert json.loads(frame)["queue"] == {"id": QUEUE, "name": "Sales"}


async def test_backfill_by_hand_tells_each_step_once_before_its_snapshot(rest, server):
    server.answers = [pages([conversation("ours")]), pages([conversation("ours")])]
    names = QueueNames(rest)
    names.learn({QUEUE: "Sales"})
    found = Backfilled(rest, TopicPlan((f"v2.routing.queues.{QUEUE}.conversations",)), names)
    told = [json.loads(one) for _ in range(2) for one in await collected(found.during(Interval(START, START + MINUTE)))]
    steps = [event for event in told if event.get("derived")]
    assert told[0] in steps
    assert len(steps) == len({event["metadata"]["stepId"] for event in steps})
    assert all(event["backfilled"] for event in told)


async def test_a_missing_permission_is_named(rest, server):
    server.answers = [httpx.Response(403, json={"message": "analytics:conversationDetail:view"})]
    with pytest.raises(PermissionMissingError, match="analytics:conversationDetail:view"):
        await collected(ConversationQuery(rest).during(Interval(START, START + MINUTE)))


async def test_a_conversation_over_several_windows_gives_each_event_once(rest, server):
    def answer(request):
        return httpx.Response(200, json={"conversations": [long], "totalHits": 1})

    long = conversation("c-1")
    segments = long["participants"][0]["sessions"][0]["segments"]
    segments[0]["segmentEnd"] = "2026-11-23T10:02:30.000Z"
    server.answers = [answer]
    query = ConversationQuery(rest, window_ms=MINUTE)
    topics = {f"v2.routing.queues.{QUEUE}.conversations"}
    events = await collected(query.events(Interval(START, START + 3 * MINUTE), topics))
    assert len(server.requests) == 3
    states = [told.envelope["eventBody"]["participants"][0]["chats"][0]["state"] for told in events]
    assert states == ["connected", "disconnected"]


async def test_conversations_of_a_gap_are_followed_beyond_its_end(rest, server):
    server.answers = [pages([conversation("c-1")]), pages([conversation("c-1")])]
    topics = {f"v2.routing.queues.{QUEUE}.conversations"}
    within, query = Interval(START, START + 500), ConversationQuery(rest)
    assert await collected(query.events(within, topics)) == []
    followed = await collected(query.events(within, topics, START + 3 * MINUTE))
    assert [told.moment_ms for told in followed] == [START + 1_000]
    asked = {json.loads(request.content)["interval"] for request in server.requests}
    assert asked == {"2026-11-23T10:00:00.000Z/2026-11-23T10:00:00.500Z"}, "no others are asked for"
