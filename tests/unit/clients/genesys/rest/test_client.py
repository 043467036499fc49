"""Tests of the REST client: what is tried again, what is told, what stays secret."""

import asyncio
import logging
from email.utils import formatdate

import httpx
import pytest

from clients.genesys.rest.errors import (
    GenesysRequestError,
    PermissionMissingError,
    without_channel,
)

OK = httpx.Response(200, json={"well": True})
SECRET_PATH = "/api/v2/notifications/channels/streaming-0-secret/subscriptions"


async def test_success_is_given_with_its_body(rest, server):
    server.answers = [OK]
    response = await rest.request("GET", "/api/v2/routing/queues", params={"pageSize": 100})
    assert response.json() == {"well": True}
    assert str(server.requests[0].url) == "https://api.example.test/api/v2/routing/queues?pageSize=100"
    assert server.tokens() == ["token-1"]


async def test_401_renews_the_token_once_and_tries_at_once(rest, server, fake_time, troubles):
    server.answers = [httpx.Response(401), OK]
    await rest.request("GET", "/x")
    assert server.tokens() == ["token-1", "token-2"]
    assert fake_time.sleeps == []
    assert troubles == []


async def test_401_again_and_again_is_backed_off_for_ever(rest, server, fake_time, troubles):
    server.answers = [httpx.Response(401)] * 8 + [OK]
    await rest.request("GET", "/x")
    assert fake_time.sleeps == [1, 2, 4, 8, 10, 10, 10]
    assert troubles == ["GET /x answers 401", None]
    assert len(server.logins) == 9


async def test_callers_refused_together_cause_one_renewal(rest, server):
    server.answers = [lambda request: OK if "token-2" in request.headers["authorization"] else httpx.Response(401)]
    await asyncio.gather(*(rest.request("GET", "/x") for _ in range(10)))
    assert len(server.logins) == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"code": "missing.permissions", "message": "Missing: routing:queue:view, users:*:view"},
            ("routing:queue:view", "users:*:view"),
        ),
        (
            {
                "code": "missing.any.permissions",
                "messageParams": {"permissions": "[analytics:conversationDetail:view]"},
            },
            ("analytics:conversationDetail:view",),
        ),
        ({"errors": [{"message": "notifications:channel:add"}]}, ("notifications:channel:add",)),
        ({"code": "not.authorized", "message": "no"}, ()),
    ],
    ids=["in the message", "in the parameters", "deep inside", "not named"],
)
async def test_403_names_the_missing_permissions_and_is_not_retried(rest, server, body, expected):
    server.answers = [httpx.Response(403, json=body)]
    with pytest.raises(PermissionMissingError) as caught:
        await rest.request("POST", "/x")
    assert caught.value.permissions == expected
    assert all(permission in str(caught.value) for permission in expected)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 501])
async def test_a_refusal_has_status_code_and_message(rest, server, status):
    body = {"code": "some.code", "message": "said so", "status": status}
    server.answers = [httpx.Response(status, json=body, headers={"ININ-Correlation-Id": "abc"})]
    with pytest.raises(GenesysRequestError, match=r"POST /x: \d+ some\.code: said so \(correlation abc\)") as caught:
        await rest.request("POST", "/x")
    assert (caught.value.status, caught.value.code) == (status, "some.code")
    assert len(server.requests) == 1


async def test_429_waits_what_the_server_asks_but_180_s_at_most(rest, server, fake_time):
    server.answers = [
        httpx.Response(429, headers={"retry-after": "3"}),
        httpx.Response(429, headers={"retry-after": "7200"}),
        httpx.Response(429, json={"message": "Rate limit exceeded the maximum. Retry the request in [9] seconds"}),
        httpx.Response(429, json={"message": "Rate limit exceeded the maximum. Retry the request in 7 seconds"}),
        OK,
    ]
    await rest.request("GET", "/x")
    assert fake_time.sleeps == [3, 180, 9, 7]


async def test_429_may_name_a_date(rest, server, fake_time):
    date = formatdate(rest.clock.wall() + 12, usegmt=True)
    server.answers = [httpx.Response(429, headers={"retry-after": date}), OK]
    await rest.request("GET", "/x")
    assert fake_time.sleeps == [12]


async def test_429_without_word_is_backed_off_with_full_jitter(rest, server, fake_time):
    fake_time.chance = 0.5
    server.answers = [httpx.Response(429)] * 3 + [OK]
    await rest.request("GET", "/x")
    assert fake_time.sleeps == [0.5, 1, 2]


async def test_server_errors_and_a_lost_network_are_waited_out_for_ever(rest, server, fake_time, troubles):
    lost = [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.RemoteProtocolError("cut")]
    server.answers = [*lost, *([httpx.Response(502)] * 20), OK]
    await rest.request("GET", "/x")
    assert len(server.requests) == 24
    assert max(fake_time.sleeps) == 10
    assert troubles[0] == "GET /x not reached: refused"
    assert troubles[1] == "GET /x not reached: time-out: it is connected and says nothing"
    assert troubles[-2:] == ["GET /x answers 502", None]


async def test_health_turns_well_when_a_call_is_given_up(rest, server, troubles, until):
    server.answers = [httpx.Response(500)]
    task = asyncio.create_task(rest.request("GET", "/x"))
    await until(lambda: troubles)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert troubles[-1] is None


async def test_calls_wait_for_the_reset_when_the_servers_count_is_near(rest, server, fake_time):
    def headers(count):
        return {
            "inin-ratelimit-allowed": "300",
            "inin-ratelimit-count": str(count),
            "inin-ratelimit-reset": "17",
        }

    server.answers = [
        httpx.Response(200, headers=headers(284)),
        httpx.Response(200, headers=headers(285)),
        OK,
    ]
    await rest.request("GET", "/x")
    await rest.request("GET", "/x")
    assert fake_time.sleeps == []
    await rest.request("GET", "/x")
    assert fake_time.sleeps == [17]
    assert rest.observer.counts["request_paced"] == 1


async def test_no_more_than_300_calls_go_in_any_minute(rest, server, fake_time):
    sent = []

    def answer(request):
        sent.append(fake_time.now)
        fake_time.now += 0.01
        return OK

    server.answers = [answer]
    for _ in range(1_000):
        await rest.request("GET", "/x")
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[300:], strict=False))
    assert fake_time.now - 1_000 < 190


async def test_background_calls_leave_a_third_of_the_rate_to_the_others(rest, server, fake_time):
    server.answers = [OK]
    for _ in range(200):
        await rest.read("GET", "/x", background=True)
    for _ in range(100):
        await rest.request("GET", "/x")
    assert fake_time.sleeps == []
    await rest.read("GET", "/x", background=True)
    assert sum(fake_time.sleeps) == pytest.approx(60)


@pytest.mark.parametrize("status", [200, 302, 401, 403, 407, 418])
@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=latin-1"])
async def test_another_one_s_page_is_waited_out(rest, server, fake_time, troubles, status, kind):
    body = "<html>bloqu\u00e9</html>".encode("latin-1")
    server.answers = [httpx.Response(status, content=body, headers={"content-type": kind, "via": "1.1 proxy"})] * 2
    server.answers.append(OK)
    assert await rest.read("GET", "/x") == {"well": True}
    assert fake_time.sleeps == [1.0, 2.0]
    assert "is not from Genesys (via: 1.1 proxy)" in troubles[0]
    assert troubles[-1] is None


async def test_a_path_that_a_server_does_not_have_is_its_own_answer(rest, server):
    server.answers = [httpx.Response(404, text="404: Not Found")]
    with pytest.raises(GenesysRequestError):
        await rest.read("GET", "/x")


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("body", [b"{", b"nothing here", b'["x"]'])
async def test_a_refusal_that_is_no_json_object_is_another_one_s(rest, server, status, body):
    server.answers = [httpx.Response(status, content=body), OK]
    assert await rest.read("GET", "/x") == {"well": True}


async def test_a_call_ends_in_time_whatever_the_library_does(rest, server, troubles):
    rest.deadline_s = 0.01
    answers = [asyncio.Event().wait, None]
    send = rest.http.send

    async def silent(*arguments, **options):
        if (wait := answers.pop(0)) is not None:
            await wait()
        return await send(*arguments, **options)

    await rest.token()
    rest.http.send = silent
    server.answers = [OK]
    assert await rest.read("GET", "/x") == {"well": True}
    assert "no answer within" in troubles[0]


@pytest.mark.parametrize(
    "body", [b"", b"text", b"[1]", b"null", b'{"cut": ', b"\x1f\x8b\xff", b"[" * 100_000, b'{"not": "accepted"}']
)
async def test_a_success_that_is_no_answer_to_it_is_waited_out(rest, server, fake_time, troubles, body):
    server.answers = [httpx.Response(200, content=body), OK]
    assert await rest.read("GET", "/x", accepts=lambda found: "well" in found) == {"well": True}
    assert fake_time.sleeps == [1.0]
    assert troubles[0] == "GET /x answers with what is not from Genesys; look at the proxy"


async def test_secrets_tokens_and_channel_ids_stay_out_of_logs_and_errors(rest, server, caplog, logged, troubles):
    caplog.set_level(logging.DEBUG)
    message = "channel streaming-0-secret is not yours"
    server.answers = [
        httpx.Response(500),
        httpx.Response(404, json={"code": "not.found", "message": message}),
    ]
    with pytest.raises(GenesysRequestError) as caught:
        await rest.request("GET", SECRET_PATH)
    seen = f"{caplog.text} {logged} {caught.value!r} {troubles} {rest!r} {vars(rest)!r}"
    assert "HTTP Request: GET https://api.example.test/api/v2/notifications/channels/***/subscriptions" in seen
    assert not [word for word in ("0-secret", "very-secret", "token-1") if word in seen]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "wss://streaming.x.com/channels/streaming-0-abc failed",
            "wss://streaming.x.com/channels/*** failed",
        ),
        ("HEAD /api/v2/notifications/channels/streaming-0-abc/subscriptions?x=1", None),
        ("nothing of the kind", "nothing of the kind"),
        ("POST /api/v2/notifications/channels", "POST /api/v2/notifications/channels"),
    ],
)
def test_channel_ids_are_blotted_out(text, expected):
    assert without_channel(text) == (expected or "HEAD /api/v2/notifications/channels/***/subscriptions?x=1")
