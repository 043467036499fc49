"""This module tests the login host: the grant, its errors, and what becomes of tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from emulators.genesys import AnswerFault, Faults, GenesysEmulator

FORM = {"grant_type": "client_credentials"}
QUEUES = "/api/v2/routing/queues"


async def test_token_opens_the_api_until_it_is_revoked(sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator(token_seconds=1234) as genesys, sign_in(genesys) as client:
        again = await client.post("/oauth/token", auth=(genesys.client_id, genesys.client_secret), data=FORM)
        assert again.json()["expires_in"] == 1234
        assert again.json()["token_type"] == "bearer"
        assert (await client.get(QUEUES)).status_code == 200
        assert genesys.tokens.revoke_all() == 2
        refused = await client.get(QUEUES)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")
        assert genesys.login.requests == 2


@pytest.mark.parametrize(
    ("auth", "data", "status", "error"),
    [
        (("emulated-client", "wrong"), FORM, 401, "invalid_client"),
        (("nobody", "emulated-secret"), FORM, 401, "invalid_client"),
        (("emulated-client", "emulated-secret"), {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
    ids=["wrong secret", "unknown client", "another grant"],
)
async def test_refused_logins(auth: tuple[str, str], data: dict[str, str], status: int, error: str) -> None:
    async with GenesysEmulator() as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        answer = await client.post("/oauth/token", auth=auth, data=data)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.json()["description"]


async def test_json_login_is_refused() -> None:
    async with GenesysEmulator() as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        auth = (genesys.client_id, genesys.client_secret)
        answer = await client.post("/oauth/token", auth=auth, json=FORM)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_token_requests_are_limited_in_a_minute() -> None:
    async with GenesysEmulator(token_limit=2) as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        auth = (genesys.client_id, genesys.client_secret)
        answers = [await client.post("/oauth/token", auth=auth, data=FORM) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 0 < int(answers[2].headers["Retry-After"]) <= 60


async def test_expired_token_is_refused_as_expired(sign_in: Callable[..., Any]) -> None:
    now = [1_000_000.0]
    async with (
        GenesysEmulator(token_seconds=300, clock=lambda: now[0]) as genesys,
        sign_in(genesys) as client,
    ):
        assert (await client.get(QUEUES)).status_code == 200
        now[0] += 300
        assert (await client.get(QUEUES)).json()["code"] == "credentials.expired"


async def test_no_token_is_another_refusal() -> None:
    async with GenesysEmulator() as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        answer = await client.get(QUEUES)
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication.required")


async def test_requests_of_a_token_are_limited_with_the_real_headers(sign_in: Callable[..., Any]) -> None:
    async with GenesysEmulator(api_limit=2) as genesys, sign_in(genesys) as client:
        answers = [await client.get(QUEUES) for _ in range(3)]
        assert [answer.headers["inin-ratelimit-count"] for answer in answers] == ["1", "2", "3"]
        assert answers[0].headers["inin-ratelimit-allowed"] == "2"
        assert answers[0].headers["ININ-Correlation-Id"] != answers[1].headers["ININ-Correlation-Id"]
        refused = answers[2]
        assert (refused.status_code, refused.json()["code"]) == (429, "too.many.requests")
        assert f"in [{refused.headers['Retry-After']}] seconds" in refused.json()["message"]


async def test_login_can_be_made_to_fail() -> None:
    faults = Faults(answers=(AnswerFault(path="/oauth/token", status=503, times=1),))
    async with GenesysEmulator(faults=faults) as genesys, httpx.AsyncClient(base_url=genesys.url) as client:
        auth = (genesys.client_id, genesys.client_secret)
        answers = [await client.post("/oauth/token", auth=auth, data=FORM) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [503, 200]
        assert answers[0].json()["error"] == "service.unavailable"
