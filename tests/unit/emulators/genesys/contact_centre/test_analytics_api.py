"""This module tests the conversation details query against the simulator's truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.genesys import GenesysEmulator
from emulators.genesys.contact_centre.details import iso

PATH = "/api/v2/analytics/conversations/details/query"
START_MS = 1_795_428_000_000
SignIn = Callable[..., Any]


def interval(first_ms: int, last_ms: int) -> str:
    return f"{iso(START_MS + first_ms)}/{iso(START_MS + last_ms)}"


def simulated(genesys: GenesysEmulator) -> list[Any]:
    """A minute of conversations, in the order of their beginning."""
    simulator = genesys.notifications.simulator
    simulator.rate = 5.0
    for now in range(START_MS, START_MS + 60_000, 500):
        list(simulator.advance(now))
    return list(simulator.conversations.values())


async def test_pages_together_hold_every_conversation_in_order(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        known = simulated(genesys)
        found: list[dict[str, Any]] = []
        for number in range(1, 100):
            paging = {"pageSize": 50, "pageNumber": number}
            query = {"interval": interval(0, 60_000), "order": "asc", "orderBy": "conversationStart"}
            body = (await client.post(PATH, json=query | {"paging": paging})).json()
            found += body.get("conversations", [])
            if "conversations" not in body:
                break
        assert [one["conversationId"] for one in found] == [one.id for one in sorted(known, key=start_and_id)]
        assert body["totalHits"] == len(known)
        backwards = (await client.post(PATH, json=query | {"order": "desc"})).json()["conversations"]
        ids = [one["conversationId"] for one in found]
        assert [one["conversationId"] for one in backwards] == ids[::-1][:25]


def start_and_id(conversation: Any) -> tuple[int, str]:
    return conversation.started_ms, conversation.id


async def test_a_conversation_shows_its_parties_and_segments(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        known = {one.id: one for one in simulated(genesys)}
        body = (await client.post(PATH, json={"interval": interval(0, 60_000)})).json()
        assert body["conversations"]
        for one in body["conversations"]:
            truth = known[one["conversationId"]]
            assert ("conversationEnd" in one) is (truth.ended_ms is not None)
            for party, real in zip(one["participants"], truth.participants, strict=True):
                assert party["purpose"] == real.purpose
                segment = party["sessions"][0]["segments"][0]
                assert segment["segmentStart"] == iso(real.started_ms)
                assert segment.get("queueId") == real.queue_id
                assert party.get("userId") == real.user_id


async def test_interval_catches_what_overlaps_it(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        known = simulated(genesys)
        query = {"interval": interval(20_000, 21_000), "paging": {"pageSize": 100}}
        found = (await client.post(PATH, json=query)).json()["conversations"]
        first, last = START_MS + 20_000, START_MS + 21_000
        expected = {o.id for o in known if o.started_ms < last and (o.over_ms is None or o.over_ms >= first)}
        assert {one["conversationId"] for one in found} == expected


async def test_filters_by_queue_and_medium(sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        known = simulated(genesys)
        queue = known[0].last("acd").queue_id
        predicates = [
            {"dimension": "queueId", "operator": "matches", "value": queue},
            {"dimension": "mediaType", "value": "voice"},
        ]
        for kind, joined in (("and", all), ("or", any)):
            query = {
                "interval": interval(0, 60_000),
                "paging": {"pageSize": 100},
                "segmentFilters": [{"type": kind, "predicates": predicates}],
            }
            body = (await client.post(PATH, json=query)).json()
            expected = [
                one
                for one in known
                if any(joined([party.queue_id == queue, one.media == "voice"]) for party in one.participants)
            ]
            assert body["totalHits"] == len(expected) > 0


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"interval": "yesterday"},
        {"interval": "2026-11-23T11:00:00Z/2026-11-23T10:00:00Z"},
        {"interval": "2026-01-01T00:00:00Z/2026-03-01T00:00:00Z"},
        {"interval": interval(0, 1), "order": "random"},
        {"interval": interval(0, 1), "paging": {"pageSize": 101}},
        {"interval": interval(0, 60_000), "segmentFilters": {}},
        {"interval": interval(0, 60_000), "segmentFilters": [{"predicates": [{"dimension": "shoeSize"}]}]},
        {"interval": interval(0, 60_000), "segmentFilters": [{"predicates": ["x"]}]},
    ],
)
async def test_wrong_queries_are_refused(body: object, sign_in: SignIn) -> None:
    async with GenesysEmulator() as genesys, sign_in(genesys) as client:
        simulated(genesys)
        answer = await client.post(PATH, json=body)
        assert answer.status_code == 400
        assert answer.json()["status"] == 400


async def test_query_needs_its_permission(sign_in: SignIn) -> None:
    async with GenesysEmulator(permissions=[]) as genesys, sign_in(genesys) as client:
        assert (await client.post(PATH, json={"interval": interval(0, 1)})).status_code == 403
