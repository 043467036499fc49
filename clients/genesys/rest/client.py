"""This module makes every REST call to Genesys Cloud: one client, one token, one rate, one way to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import structlog
from pydantic import SecretStr

from clients.genesys.rest.backoff import Backoff, Clock, retry_after
from clients.genesys.rest.errors import foreign_page, json_object, object_or_none, refusal, without_channel
from clients.genesys.rest.log_redaction import redact_http_logs
from clients.genesys.rest.observer import Observer
from clients.genesys.rest.rate_limit import REQUESTS_PER_MINUTE, Pacer
from clients.genesys.rest.token import TokenCache
from clients.network import in_words
from settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(30.0, connect=10.0)

#: A connection of its own for each event stream, and a few for the calls between.
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=5)

NOT_IMPLEMENTED = 501

Params = Mapping[str, str | int | bool]
NetworkError = (httpx.TransportError, httpx.DecodingError)


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One call as it was asked for. With `idle_timeout` (s) the answer's body is left to the caller.

    `accepts`: whether the object in a success is an answer to it.
    """

    method: str
    path: str
    json: Any = None
    params: Params | None = None
    background: bool = False
    idle_timeout: float | None = None
    accepts: Callable[[dict[str, Any]], bool] | None = None

    @property
    def name(self) -> str:
        """How the call is named in logs and errors: never with a channel id or parameters."""
        return f"{self.method} {without_channel(self.path)}"


def _any_object(body: dict[str, Any]) -> bool:
    return True


class GenesysRest:
    """The one REST client of a process; an async context manager.

    401: the token is renewed once and the call tried at once, then with back-off, as a token may be revoked
    at any time. 429: `Retry-After` (at most 180 s), else full jitter. 5xx (but 501, which is no outage) and a
    lost network, and a proxy's page in Genesys' place: back-off with full jitter up to 15 s. All of these for ever,
    with the reason given to `observer`. Everything else that is no success raises: PermissionMissingError (403) or
    GenesysRequestError.
    """

    #: Seconds that a call gets, an event stream until it begins: a proxy that falls silent stops httpx for longer.
    deadline_s = 45.0

    def __init__(
        self,
        api_url: str,
        login_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        observer: Observer | None = None,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        requests_per_minute: int = REQUESTS_PER_MINUTE,
    ) -> None:
        self.client_id = client_id
        self.observer = observer or Observer()
        self.clock = clock or Clock()
        self.http = httpx.AsyncClient(
            base_url=api_url,
            timeout=TIMEOUT,
            limits=LIMITS,
            transport=transport,
            headers={"user-agent": "genesys-eventbridge"},
        )
        self._tokens = TokenCache(
            self.http, login_url, client_id, client_secret, observer=self.observer, clock=self.clock
        )
        self._pacer = Pacer(self.clock, requests_per_minute)
        redact_http_logs()

    @classmethod
    def from_settings(cls, settings: Settings, observer: Observer | None = None) -> Self:
        """The client that the settings describe. Raises SettingsError without credentials."""
        settings.require_genesys()
        secret = settings.genesys_client_secret or SecretStr("")
        return cls(settings.api_url, settings.login_url, settings.genesys_client_id or "", secret, observer=observer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.http.aclose()

    async def token(self) -> str:
        """A token that is good for use; for `check`. Raises CredentialsError."""
        return await self._tokens.token()

    def forget(self, token: str) -> None:
        """Have the next call fetch a new token, unless that has happened since this one was given."""
        self._tokens.invalidate(token)

    async def request(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None
    ) -> httpx.Response:
        """One call, answered with success, its body read."""
        return await self._call(_Call(method, path, json, params))

    async def read(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Params | None = None,
        background: bool = False,
        accepts: Callable[[dict[str, Any]], bool] = _any_object,
    ) -> dict[str, Any]:
        """One call, answered with a JSON object that `accepts` holds for; any other success is waited out.

        `background`: it can wait for calls that cannot (rate_limit.py).
        """
        return json_object(await self._call(_Call(method, path, json, params, background, accepts=accepts)))

    @asynccontextmanager
    async def stream(self, path: str, *, idle_timeout: float) -> AsyncIterator[httpx.Response]:
        """GET with an endless body, read by the caller: silence over `idle_timeout` s raises ReadTimeout."""
        response = await self._call(_Call("GET", path, idle_timeout=idle_timeout))
        try:
            yield response
        finally:
            await response.aclose()

    async def _call(self, call: _Call) -> httpx.Response:
        """The loop around one call."""
        backoff, refused_tokens = Backoff(self.clock), 0
        try:
            while True:
                token = await self._tokens.token()
                try:
                    response = await self._send(call, token)
                except NetworkError as error:
                    reason = f"not reached: {without_channel(in_words(error))}"
                    await self._wait(call, reason, backoff.next())
                    continue
                if (answered := foreign_page(response)) is not None:
                    await response.aclose()
                    await self._wait(call, answered, backoff.next())
                    continue
                if response.is_success:
                    if call.accepts is None or ((body := object_or_none(response)) is not None and call.accepts(body)):
                        return response
                    await self._wait(call, "answers with what is not from Genesys; look at the proxy", backoff.next())
                    continue
                if response.status_code == 401:
                    self._tokens.invalidate(token)
                    refused_tokens += 1
                seconds = self._wait_s(response, backoff, refused_tokens)
                if seconds is None:
                    raise refusal(call.name, response)
                await self._wait(call, f"answers {response.status_code}", seconds)
        finally:
            self.observer.healthy(call)

    async def _send(self, call: _Call, token: str) -> httpx.Response:
        if await self._pacer.turn(background=call.background):
            self.observer.count("request_paced")
        headers = {"authorization": f"Bearer {token}"}
        timeout = TIMEOUT
        if call.idle_timeout is not None:
            headers["accept-encoding"] = "identity"  # compression would hold lines back in its buffers
            timeout = httpx.Timeout(TIMEOUT.read, connect=TIMEOUT.connect, read=call.idle_timeout)
        request = self.http.build_request(
            call.method, call.path, json=call.json, params=call.params, headers=headers, timeout=timeout
        )
        try:
            async with asyncio.timeout(self.deadline_s):
                response = await self._answer(request, is_read=call.idle_timeout is None)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no answer within {self.deadline_s:g} s") from None
        self._pacer.learn(response)
        return response

    async def _answer(self, request: httpx.Request, *, is_read: bool) -> httpx.Response:
        """What comes back; a stream that was granted is left for the caller to read."""
        response = await self.http.send(request, stream=True)
        if is_read or not response.is_success:
            async with aclosing(response):
                await response.aread()
        return response

    def _wait_s(self, response: httpx.Response, backoff: Backoff, refused_tokens: int) -> float | None:
        """Seconds before the next try; None when trying again cannot help."""
        status = response.status_code
        if status == 401:
            return 0.0 if refused_tokens == 1 else backoff.next()
        if status == 429 or status == 503:
            asked = retry_after(response, self.clock.wall())
            if asked is not None and status == 429:
                self._pacer.hold(asked)  # the limit is the token's: the other calls wait as well
            return backoff.next() if asked is None else asked
        return backoff.next() if status == 408 or (status >= 500 and status != NOT_IMPLEMENTED) else None

    async def _wait(self, call: _Call, reason: str, seconds: float) -> None:
        self.observer.count("request_retried")
        if seconds > 0:
            log.warning("genesys.request.retry", request=call.name, reason=reason, wait_s=round(seconds, 1))
            self.observer.trouble(call, f"{call.name} {reason}")
        await self.clock.sleep(seconds)
