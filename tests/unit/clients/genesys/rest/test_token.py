"""Tests of the token cache."""

import asyncio
import base64

import httpx
import pytest
from pydantic import SecretStr

from clients.genesys.rest.errors import CredentialsError, GenesysRequestError
from clients.genesys.rest.token import TokenCache


@pytest.fixture
async def tokens(server, fake_time, observer):
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
        yield TokenCache(
            http, "https://login.example.test", "client", SecretStr("very-secret"),
            observer=observer, clock=fake_time.clock(),
        )  # fmt: skip


async def test_login_uses_basic_auth_and_the_client_credentials_grant(tokens, server):
    assert await tokens.token() == "token-1"
    request = server.logins[0]
    assert str(request.url) == "https://login.example.test/oauth/token"
    assert request.headers["authorization"] == f"Basic {base64.b64encode(b'client:very-secret').decode()}"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.content == b"grant_type=client_credentials"


@pytest.mark.parametrize(
    ("life", "still_good", "renewed"),
    [
        (86_400, 86_099, 86_100),
        (600, 299, 300),
        (599, 299, 300),
        (300, 149, 150),
        (None, 149, 150),
        (True, 149, 150),
    ],
    ids=["a day", "600 s", "below 600 s: half", "shortest", "life not given", "life is no number"],
)
async def test_token_is_renewed_before_it_expires(tokens, server, fake_time, life, still_good, renewed):
    server.expires_in = life
    begin = fake_time.now
    assert await tokens.token() == "token-1"
    fake_time.now = begin + still_good
    assert await tokens.token() == "token-1"
    fake_time.now = begin + renewed
    assert await tokens.token() == "token-2"


async def test_many_callers_share_one_renewal(tokens, server):
    assert set(await asyncio.gather(*(tokens.token() for _ in range(50)))) == {"token-1"}
    assert len(server.logins) == 1


async def test_a_cancelled_caller_does_not_stop_the_others(tokens, server, fake_time, until):
    gate = asyncio.Event()
    server.login_answers = [httpx.ConnectError("refused")]

    async def held(seconds: float) -> None:
        await gate.wait()

    fake_time.sleep = held
    tokens._clock = fake_time.clock()
    first, second = asyncio.create_task(tokens.token()), asyncio.create_task(tokens.token())
    await until(lambda: server.logins)
    first.cancel()
    gate.set()
    assert await second == "token-2"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_invalidate_forgets_only_the_token_in_use(tokens, server):
    old = await tokens.token()
    tokens.invalidate(old)
    new = await tokens.token()
    tokens.invalidate(old)
    assert await tokens.token() == new == "token-2"
    assert len(server.logins) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_client", "description": "client not found"}),
        httpx.Response(400, json={"error": "invalid_client", "error_description": "bad secret"}),
        httpx.Response(400, json={"error": "unsupported_grant_type"}),
        httpx.Response(403),
    ],
    ids=["401", "400", "another grant", "without a word"],
)
async def test_a_refused_client_is_told_with_the_remedy(tokens, server, answer):
    server.login_answers = [answer]
    with pytest.raises(CredentialsError, match="GENESYS_CLIENT_SECRET") as caught:
        await tokens.token()
    assert "very-secret" not in f"{caught.value!r} {tokens!r}"


async def test_throttling_errors_and_a_lost_network_are_waited_out(tokens, server, fake_time, troubles):
    server.login_answers = [
        httpx.Response(429, headers={"retry-after": "7"}),
        httpx.Response(429, headers={"retry-after": "36000"}),
        httpx.Response(503),
        httpx.ConnectError("All connection attempts failed"),
    ]
    assert await tokens.token() == "token-5"
    assert fake_time.sleeps == [7.0, 180.0, 1.0, 2.0]
    assert troubles == [
        "login answers 429", "login answers 503", "login not reached: All connection attempts failed", None,
    ]  # fmt: skip


async def test_a_wrong_login_path_is_a_refusal(tokens, server):
    server.login_answers = [httpx.Response(404, text="not here")]
    with pytest.raises(GenesysRequestError, match="GENESYS_LOGIN_URL"):
        await tokens.token()


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 407])
@pytest.mark.parametrize("body", [b"<html>blocked</html>", "bloqu\u00e9".encode("latin-1"), b"["])
async def test_another_one_s_page_is_waited_out(tokens, server, fake_time, troubles, status, body):
    headers = {"content-type": "text/html", "server": "squid", "via": "1.1 proxy"}
    server.login_answers = [httpx.Response(status, content=body, headers=headers)] * 3
    assert await tokens.token() == "token-4"
    assert fake_time.sleeps == [1.0, 2.0, 4.0]
    assert f"answers {status} with what is not from Genesys (server: squid, via: 1.1 proxy)" in troubles[0]
    assert "GENESYS_LOGIN_URL" in troubles[0]


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": "a\nb"}, {"access_token": 5}, []])
async def test_an_answer_without_token_is_waited_out(tokens, server, fake_time, troubles, body):
    server.login_answers = [httpx.Response(200, json=body)]
    assert await tokens.token() == "token-2"
    assert fake_time.sleeps == [1.0]
    assert "is GENESYS_LOGIN_URL right?" in troubles[0]
