"""Tests of listings and of the cache of queue names."""

import asyncio

import httpx
import pytest

from clients.genesys.queues import QUEUES, QueueNames, listed
from clients.genesys.rest.errors import PermissionMissingError

A, B = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def entities(start, end):
    return [{"id": f"id-{number}", "name": f"Queue {number}"} for number in range(start, end)]


async def test_every_page_is_read(rest, server):
    everything = entities(0, 250)

    def page(request):
        number, size = int(request.url.params["pageNumber"]), int(request.url.params["pageSize"])
        cut = everything[(number - 1) * size : number * size]
        return httpx.Response(200, json={"entities": cut, "pageCount": 3})

    server.answers = [page]
    found = await listed(rest, QUEUES)
    assert found == {one["id"]: one["name"] for one in everything}
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "told",
    [{"pageCount": 10}, {"total": 250, "pageSize": 25}, {"total": 250}, {"nextUri": "/more"}],
    ids=lambda told: ", ".join(told),
)
async def test_a_page_may_hold_less_than_was_asked_for(rest, server, told):
    everything = entities(0, 250)

    def page(request):
        start = (int(request.url.params["pageNumber"]) - 1) * 25
        return httpx.Response(200, json={"entities": everything[start : start + 25], **told})

    server.answers = [page]
    assert len(await listed(rest, QUEUES)) == 250


async def test_a_server_that_gives_the_same_page_for_ever_is_not_asked_for_ever(rest, server):
    server.answers = [httpx.Response(200, json={"entities": entities(0, 100)})]
    assert len(await listed(rest, QUEUES)) == 100
    assert len(server.requests) == 2


async def test_a_listing_survives_odd_entities(rest, server):
    server.answers = [httpx.Response(200, json={"entities": [None, {"id": 5}, {"id": "a"}, {"id": "b", "name": "B"}]})]
    assert await listed(rest, QUEUES) == {"a": "", "b": "B"}


@pytest.mark.parametrize("body", [{}, {"entities": "none"}, {"message": "come back later"}])
async def test_a_success_without_a_list_is_no_empty_list(rest, server, body):
    server.answers = [httpx.Response(200, json=body), httpx.Response(200, json={"entities": [{"id": "a"}]})]
    assert await listed(rest, QUEUES) == {"a": ""}
    server.answers = [httpx.Response(200, json={"entities": []})]
    assert await listed(rest, QUEUES) == {}


async def test_a_name_is_looked_up_once_and_kept(rest, server, fake_time):
    server.answers = [httpx.Response(200, json={"id": A, "name": "Sales"})]
    names = QueueNames(rest, ttl=100)
    assert [await names.name(A) for _ in range(3)] == ["Sales"] * 3
    assert [request.url.path for request in server.requests] == [f"{QUEUES}/{A}"]


async def test_an_old_name_is_given_while_it_is_fetched_anew(rest, server, fake_time, until):
    server.answers = [httpx.Response(200, json={"name": "Old"}), httpx.Response(200, json={"name": "New"})]
    names = QueueNames(rest, ttl=100)
    await names.name(A)
    fake_time.now += 101
    assert await names.name(A) == "Old"
    await until(lambda: len(server.requests) == 2 and names._lookup.done())
    assert await names.name(A) == "New"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={}),
        httpx.Response(403, json={}),
        httpx.Response(200, json={}),
    ],
    ids=["unknown", "not allowed", "without name"],
)
async def test_a_failed_lookup_leaves_the_name_out_for_a_while(rest, server, fake_time, answer):
    server.answers = [answer]
    names = QueueNames(rest, retry=60)
    assert [await names.name(A) for _ in range(5)] == [None] * 5
    assert len(server.requests) == 1
    assert rest.observer.counts["queue_name_missing"] == 5
    fake_time.now += 61
    server.answers = [httpx.Response(200, json={"name": "Sales"})]
    await names.name(A)
    await asyncio.wait({names._lookup})
    assert await names.name(A) == "Sales"


async def test_a_slow_lookup_does_not_hold_the_stream_and_is_the_only_one(rest, server):
    gate = asyncio.Event()

    async def slow(*args, **kwargs):
        await gate.wait()
        return {"name": "Sales"}

    rest.read = slow
    names = QueueNames(rest, patience=0.01)
    assert await names.name(A) is None
    assert await names.name(B) is None  # another lookup is under way: not even tried
    gate.set()
    await asyncio.wait({names._lookup})
    assert await names.name(A) == "Sales"
    await names.aclose()


async def test_what_is_no_id_is_not_asked_for(rest, server):
    names = QueueNames(rest)
    assert await names.name("../../users") is None
    assert server.requests == []


async def test_learned_names_need_no_lookup_and_memory_is_bounded(rest, server):
    names = QueueNames(rest, capacity=100)
    names.learn({**{f"id-{number}": "x" for number in range(1_000)}, A: "Sales"})
    assert await names.name(A) == "Sales"
    assert len(names._names) == 100
    assert server.requests == []


async def test_a_listing_that_is_not_allowed_is_told(rest, server):
    server.answers = [httpx.Response(403, json={"message": "routing:queue:view"})]
    with pytest.raises(PermissionMissingError, match="routing:queue:view"):
        await listed(rest, QUEUES)
