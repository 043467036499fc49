"""This module keeps one access token for all callers (OAuth 2 client credentials)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
import structlog
from pydantic import SecretStr

from clients.genesys.rest.backoff import Backoff, Clock, retry_after
from clients.genesys.rest.errors import (
    CredentialsError,
    GenesysError,
    foreign_page,
    json_object,
    refusal,
    text_of,
    without_channel,
)
from clients.genesys.rest.observer import Observer
from clients.network import in_words

log = structlog.get_logger(__name__)

#: Genesys allows token lives of 300 to 172,800 s; the shortest is assumed when an answer names none.
SHORTEST_LIFE = 300.0
RENEW_BEFORE = 300.0

#: Seconds that the login gets: a proxy that falls silent stops httpx for longer.
DEADLINE_S = 45.0


@dataclass(frozen=True, slots=True)
class _Token:
    text: SecretStr
    renew_at: float


class TokenCache:
    """`token()` gives a token good for use; whoever finds it refused calls `invalidate(token)`.

    A token is renewed 300 s before it expires, or at half its life when that is below 600 s. However many
    callers wait, one request is under way.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        login_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._http = http
        self._url = f"{login_url.rstrip('/')}/oauth/token"
        self._client_id, self._client_secret = client_id, client_secret
        self._observer = observer or Observer()
        self._clock = clock or Clock()
        self._token: _Token | None = None
        self._renewal = asyncio.Lock()

    async def token(self) -> str:
        """The access token; throttling, 5xx and a lost network are waited out. Raises CredentialsError."""
        token = self._fresh()
        if token is None:
            async with self._renewal:
                token = self._fresh()  # another caller may have renewed it meanwhile
                if token is None:
                    token = self._token = await self._renew()
        return token.text.get_secret_value()

    def invalidate(self, token: str) -> None:
        """Forget `token` when it is still the one in use; a newer one stays."""
        if self._token is not None and self._token.text.get_secret_value() == token:
            self._token = None

    def _fresh(self) -> _Token | None:
        token = self._token
        return token if token is not None and self._clock.now() < token.renew_at else None

    async def _renew(self) -> _Token:
        backoff = Backoff(self._clock)
        try:
            while True:
                response = await self._ask(backoff)
                if response is not None:
                    return self._accepted(response)
        finally:
            self._observer.healthy(self)

    async def _ask(self, backoff: Backoff) -> httpx.Response | None:
        """One request: the answer to keep, or None after the wait before the next try."""
        auth = httpx.BasicAuth(self._client_id, self._client_secret.get_secret_value())
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._http.post(self._url, data={"grant_type": "client_credentials"}, auth=auth)
        except TimeoutError:
            await self._wait(f"login not reached: no answer within {DEADLINE_S:g} s", backoff.next())
            return None
        except (httpx.TransportError, httpx.DecodingError) as error:
            await self._wait(f"login not reached: {without_channel(in_words(error))}", backoff.next())
            return None
        if (reason := foreign_page(response)) is not None and response.status_code < 500:
            await self._wait(f"login {reason}, or at GENESYS_LOGIN_URL", backoff.next())
            return None
        if response.status_code in (408, 429) or response.status_code >= 500:
            asked = retry_after(response, self._clock.wall())
            seconds = backoff.next() if asked is None else asked
            await self._wait(f"login answers {response.status_code}", seconds)
            return None
        if response.is_success and not _is_token(json_object(response).get("access_token")):
            await self._wait("login: the answer holds no access_token; is GENESYS_LOGIN_URL right?", backoff.next())
            return None
        return response

    async def _wait(self, reason: str, seconds: float) -> None:
        log.warning("genesys.login.retry", reason=reason, wait_s=round(seconds, 1))
        self._observer.trouble(self, reason)
        await self._clock.sleep(seconds)

    def _accepted(self, response: httpx.Response) -> _Token:
        if not response.is_success:
            raise _login_error(response)
        body = json_object(response)
        text, life = str(body.get("access_token")), body.get("expires_in")
        if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
            life = SHORTEST_LIFE
        early = RENEW_BEFORE if life >= 2 * RENEW_BEFORE else life / 2
        self._observer.count("token_renewed")
        log.info("genesys.token.renewed", expires_in_s=life)
        return _Token(SecretStr(text), self._clock.now() + life - early)


def _is_token(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable() and bool(text)


def _login_error(response: httpx.Response) -> GenesysError:
    body = json_object(response)
    code = text_of(body, "error", "code")
    if response.status_code in (400, 401, 403):
        said = text_of(body, "description", "error_description", "message") or "no description"
        return CredentialsError(
            f"login refused the OAuth client: {response.status_code} {code or 'unknown'}: {said[:200]}; "
            "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, that the client uses the client-credentials "
            "grant and is active, and that GENESYS_REGION or GENESYS_BASE_URL names its region"
        )
    return refusal("login (check GENESYS_LOGIN_URL)", response)
