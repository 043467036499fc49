"""Tests of the REST side of channels."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from clients.genesys.notifications.channel_api import CHANNEL_LIFE, Channel, ChannelClient, RejectedTopic
from clients.genesys.rest.errors import GenesysRequestError

USER = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def created(expires=None):
    body = {"id": "streaming-0-x", "connectUri": "wss://streaming.example.test/channels/streaming-0-x"}
    return httpx.Response(200, json={**body, **({"expires": expires} if expires else {})})


@pytest.fixture
def channels(rest):
    return ChannelClient(rest)


@pytest.fixture
async def channel(channels, server):
    server.answers = [created()]
    made = await channels.create()
    server.requests.clear()
    return made


async def test_a_channel_is_made_without_a_body_and_stays_secret(channels, server):
    server.answers = [created()]
    channel = await channels.create()
    assert server.requests[0].content == b""
    assert channel.connect_uri.get_secret_value().endswith("/channels/streaming-0-x")
    assert "streaming-0-x" not in repr(channel)


async def test_the_life_of_a_channel_is_what_the_server_says(channels, server, rest):
    def expires(seconds):
        return datetime.fromtimestamp(rest.clock.wall() + seconds, UTC).isoformat().replace("+00:00", "Z")

    in_ms = int((rest.clock.wall() + 3_600) * 1000)
    server.answers = [created(expires(3_600)), created(), created(expires(-9_999)), created(in_ms)]
    lives = [(await channels.create()).life for _ in range(4)]
    hour = pytest.approx(3_600, abs=0.01)
    assert lives == [hour, CHANNEL_LIFE, CHANNEL_LIFE, hour]


@pytest.mark.parametrize("body", [{}, {"id": "x"}, {"id": "x", "connectUri": "https://no.socket"}])
async def test_an_answer_that_is_no_channel_is_waited_out(channels, server, body):
    server.answers = [httpx.Response(200, json=body), created()]
    assert (await channels.create()).id


async def test_a_channel_exists_until_404(channels, channel, server):
    server.answers = [httpx.Response(200), httpx.Response(404)]
    assert await channels.exists(channel)
    assert not await channels.exists(channel)
    assert {request.method for request in server.requests} == {"HEAD"}


@pytest.mark.parametrize("status", [400, 403, 405, 410, 501])
async def test_a_channel_that_cannot_be_asked_for_is_not_gone_on_with(channels, channel, server, status):
    server.answers = [httpx.Response(status)]
    assert not await channels.exists(channel)


async def test_channels_are_counted_and_none_where_that_is_not_told(channels, server):
    server.answers = [
        httpx.Response(200, json={"entities": [{}, {}]}),
        httpx.Response(405),
        httpx.Response(200, json={}),
    ]
    assert [await channels.number() for _ in range(3)] == [2, 0, 0]


@pytest.mark.parametrize("answer", [httpx.Response(204), httpx.Response(200, json={}), httpx.Response(202, text="ok")])
async def test_a_success_that_names_no_topic_rejects_none(channels, channel, server, answer):
    server.answers = [answer]
    assert await channels.subscribe(channel, [f"{USER}.presence"]) == ()


async def test_parts_that_do_not_fit_any_more_are_told(channels, channel, server):
    topics = [f"v2.users.{number:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa?a&b" for number in range(501)]

    def answer(request):
        ids = [one["id"] for one in json.loads(request.content)]
        return httpx.Response(
            200, json={"entities": [{"id": one, "state": "REJECTED" if "?" in one else "PERMITTED"} for one in ids]}
        )

    server.answers = [answer]
    rejected = await channels.subscribe(channel, topics)
    assert len(rejected) == 2
    assert all("1000 topics only" in one.reason for one in rejected)


async def test_subscribing_replaces_all_topics_and_ignores_errors(channels, channel, server):
    entities = [
        {"id": f"{USER}.presence", "state": "Permitted"},
        {"id": f"{USER}.conversations", "state": "Rejected", "rejectionReason": "missing permissions",
         "missingPermissions": ["conversation:communication:view"]},
    ]  # fmt: skip
    server.answers = [httpx.Response(200, json={"entities": entities})]
    topics = [f"{USER}.presence", f"{USER}.conversations"]
    rejected = await channels.subscribe(channel, topics)
    (request,) = server.requests
    assert (request.method, dict(request.url.params)) == ("PUT", {"ignoreErrors": "true"})
    assert json.loads(request.content) == [{"id": topic} for topic in topics]
    assert rejected == (
        RejectedTopic(f"{USER}.conversations", "missing permissions", ("conversation:communication:view",)),
    )


async def test_a_rejected_combined_topic_is_asked_for_in_its_parts(channels, channel, server):
    combined = f"{USER}?conversations&presence"

    def answer(request):
        ids = [one["id"] for one in json.loads(request.content)]
        states = ["Rejected" if "conversations" in ident else "Permitted" for ident in ids]
        entities = [{"id": ident, "state": state} for ident, state in zip(ids, states, strict=True)]
        return httpx.Response(200, json={"entities": entities})

    server.answers = [answer]
    rejected = await channels.subscribe(channel, [combined, "v2.x"])
    assert [one.topic for one in rejected] == [f"{USER}.conversations"]
    assert [one["id"] for one in json.loads(server.requests[-1].content)] == [
        f"{USER}.conversations", f"{USER}.presence", "v2.x",
    ]  # fmt: skip


async def test_leaving_a_channel_clears_its_topics(channels, server, channel):
    server.answers = [httpx.Response(204)]
    await channels.clear(channel)
    assert server.requests[0].method == "DELETE"


async def test_a_refusal_does_not_tell_the_channel_id(channels, channel: Channel, server):
    server.answers = [httpx.Response(404, json={"code": "not.found", "message": f"no channel {channel.id}"})]
    with pytest.raises(GenesysRequestError) as caught:
        await channels.subscribe(channel, [])
    assert channel.id not in str(caught.value)
