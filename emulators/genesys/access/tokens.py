"""This module issues access tokens to OAuth clients and tells which are still good."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe

from aiohttp import web

from emulators.genesys.access.errors import ApiError
from emulators.genesys.access.limits import RateWindow


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One access token; `expires_at` in epoch seconds."""

    value: str
    client_id: str
    expires_at: float


class Tokens:
    """All tokens issued: by value, with expiry and revocation."""

    def __init__(self, seconds: int, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self.issued = 0
        self._clock = clock
        self._live: dict[str, AccessToken] = {}

    def issue(self, client_id: str) -> AccessToken:
        token = AccessToken(token_urlsafe(48), client_id, self._clock() + self.seconds)
        self._live[token.value] = token
        self.issued += 1
        return token

    def revoke_all(self) -> int:
        """Every token is refused from now on; answers how many there were."""
        revoked = len(self._live)
        self._live.clear()
        return revoked

    def good(self, value: str) -> bool:
        token = self._live.get(value)
        return token is not None and token.expires_at > self._clock()

    def active(self) -> int:
        return sum(self.good(value) for value in self._live)

    def of_header(self, header: str | None) -> AccessToken:
        """The token behind an Authorization header; raises `ApiError` 401 as Genesys words it."""
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise ApiError(401, "No authentication bearer token specified.", code="authentication.required")
        token = self._live.get(value.strip())
        if token is None:
            raise ApiError(401, "Invalid login credentials.", code="bad.credentials")
        if token.expires_at <= self._clock():
            raise ApiError(401, "The authentication token has expired.", code="credentials.expired")
        return token


class Login:
    """`POST /oauth/token`: the client-credentials grant of the login host."""

    def __init__(self, tokens: Tokens, client_id: str, client_secret: str, window: RateWindow | None) -> None:
        self.requests = 0
        self._tokens = tokens
        self._client = (client_id, client_secret)
        self._window = window

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/oauth/token", self.token)]

    async def token(self, request: web.Request) -> web.Response:
        """`{access_token, token_type, expires_in}`; errors have the shape of the login host."""
        self.requests += 1
        client_id, secret = _basic(request.headers.get("Authorization"))
        if self._window is not None:
            usage = self._window.take(client_id)
            if usage.refused:
                return refusal(429, "too.many.requests", f"Retry the request in [{usage.reset}] seconds",
                               {"Retry-After": str(usage.reset), **usage.headers()})  # fmt: skip
        if request.content_type != "application/x-www-form-urlencoded":
            return refusal(400, "invalid_request", "the body must be application/x-www-form-urlencoded")
        grant = (await request.post()).get("grant_type")
        if grant != "client_credentials":
            return refusal(400, "unsupported_grant_type", f"grant type {grant!r} is not supported")
        if (client_id, secret) != self._client:
            return refusal(401, "invalid_client", "client not found or the secret is wrong")
        token = self._tokens.issue(client_id)
        answer = {"access_token": token.value, "token_type": "bearer", "expires_in": self._tokens.seconds}
        return web.json_response(answer)


def refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error as the login host words it, which is not an ErrorBody."""
    return web.json_response({"error": error, "description": description}, status=status, headers=headers)


def _basic(header: str | None) -> tuple[str, str]:
    """Client id and secret out of a Basic header; empty when it is none."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret
