"""This module calls PutEvents with botocore's credentials and connections, without what the SDK repeats each call.

Through the whole client a call costs about 1 ms of CPU: endpoint rules, validation, serializer, signer, parser. Here
the endpoint is resolved once, orjson writes and reads the body, the day's signing key is kept, and requests go over
connections of our own (connections.py), with aiobotocore's TLS. Through a proxy and without a look at certificates
aiobotocore's HTTP client sends them. Credentials that renew stay
botocore's, and its own parser reads what is refused: callers meet the same exceptions as with the whole client.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from clients.aws.answer_shapes import unpacked
from clients.aws.answers import note_answer, note_sent
from clients.aws.client import open_client
from clients.aws.events.any_answer import Answer, NoHttpError
from clients.aws.events.connections import Connections
from processors.routes.target import Target
from settings import Settings

TARGET = "AWSEvents.PutEvents"
CONTENT_TYPE = "application/x-amz-json-1.1"

#: Headers that have no part in the signature.
_UNSIGNED = {"accept-encoding": "identity", "user-agent": "genesys-eventbridge"}


@asynccontextmanager
async def open_events(settings: Settings, target: Target | None = None) -> AsyncIterator[Any]:
    """The client that EVENTBRIDGE_CLIENT names; for a global endpoint, whose signatures are others, the whole one.

    Raises AwsConfigurationError as `open_client` does.
    """
    is_direct = settings.eventbridge_client == "direct" and not (target and target.endpoint_id)
    made: list[DirectEvents] = []

    def direct(client: Any) -> DirectEvents:
        made.append(DirectEvents(client))
        return made[0]

    async with open_client(settings, "events", direct if is_direct else None, target=target) as client:
        try:
            yield client
        finally:
            for one in made:
                one.close()


class DirectEvents:
    """Stands in for an aioboto3 `events` client in `put_events`; every other call is the client's own."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._operation = client.meta.service_model.operation_model("PutEvents")
        self._signer: Signer | None = None
        self._connections: Connections | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._connections is not None:
            self._connections.close()

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    async def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """PutEvents as botocore takes and answers it. Raises BotoCoreError, ClientError or ResponseParserError."""
        body = orjson.dumps({"Entries": Entries}, default=_epoch, option=orjson.OPT_PASSTHROUGH_DATETIME)
        signer = self._signer = self._signer or await self._resolve()
        headers = signer.headers(body, await self._credentials(), time.gmtime())
        note_sent()
        return await self._read(await self._answer(signer.url, headers, body))

    async def _answer(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What comes over our connections, or by aiobotocore's client. Raises BotoCoreError or ResponseParserError."""
        if (connections := self._connections) is not None:
            try:
                return await connections.ask(headers, body)
            except NoHttpError as error:
                raise ResponseParserError(f"what came is no HTTP: {error}") from error
            except TimeoutError as error:
                raise ReadTimeoutError(endpoint_url=url, error=error) from error
            except (BrokenPipeError, ConnectionResetError) as error:
                raise ConnectionClosedError(endpoint_url=url, error=error) from error
            except ssl.SSLError as error:
                raise SSLError(endpoint_url=url, error=error) from error
            except OSError as error:
                raise EndpointConnectionError(endpoint_url=url, error=error) from error
        request = AWSPreparedRequest("POST", url, HeadersDict(headers), body, False)
        response = await self._client._endpoint.http_session.send(request)
        return Answer(response.status_code, response.headers, await response.content)

    async def _resolve(self) -> Signer:
        context: dict[str, Any] = {"client_region": self._client.meta.region_name, "client_config": {}}
        url, _, _ = await self._client._resolve_endpoint_ruleset(self._operation, {}, context)
        url = url.rstrip("/") + "/"
        self._connections = self._connections_to(url)
        return Signer(url, context.get("signing", {}).get("region") or self._client._request_signer.region_name)

    def _connections_to(self, url: str) -> Connections | None:
        """Our own, with the SDK's TLS, where nothing stands between here and AWS."""
        session, config, tls = self._client._endpoint.http_session, self._client.meta.config, None
        if session._proxy_config.proxy_url_for(url):
            return None
        if url.startswith("https:"):
            tls = session._create_connector(None)._ssl
            if not isinstance(tls, ssl.SSLContext):  # certificates are not to be looked at
                return None
        return Connections(url, tls, connect_s=config.connect_timeout, read_s=config.read_timeout)

    async def _credentials(self) -> Any:
        credentials = self._client._request_signer._credentials
        if credentials is None:
            raise NoCredentialsError
        return await credentials.get_frozen_credentials()

    async def _read(self, response: Answer) -> Mapping[str, Any]:
        status = response.status
        note_answer({"status_code": status, "headers": response.headers})
        body = unpacked(response.headers, response.body)
        if status == 200:
            try:
                answer = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise ResponseParserError(f"the answer to PutEvents is not JSON: {error}") from None
            if not isinstance(answer, dict):
                raise ResponseParserError("the answer to PutEvents is not a JSON object")
            return answer
        received = {"headers": response.headers, "status_code": status, "body": body, "context": {}}
        try:
            parsed = await self._client._response_parser.parse(received, self._operation.output_shape)
        except ValueError as error:  # a page in another encoding than AWS's
            raise ResponseParserError(f"HTTP {status} with a body that nobody can read") from error
        code = parsed.get("Error", {}).get("Code")
        raise self._client.exceptions.from_code(code)(parsed, "PutEvents")


@dataclass(slots=True)
class Signer:
    """AWS Signature Version 4 for one endpoint (AWS General Reference, «Create a signed AWS API request»)."""

    url: str
    region: str
    _key: bytes = b""
    _key_of: tuple[str, str] = field(default=("", ""))

    def headers(self, body: bytes, credentials: Any, now: time.struct_time) -> dict[str, str]:
        """Every header of the request; the key is derived anew when the day or the secret changes."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", now)
        scope = f"{stamp[:8]}/{self.region}/events/aws4_request"
        signed = {
            "content-type": CONTENT_TYPE,
            "host": urlsplit(self.url).netloc,
            "x-amz-date": stamp,
            **({"x-amz-security-token": credentials.token} if credentials.token else {}),
            "x-amz-target": TARGET,
        }
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_for(credentials.secret_key, stamp[:8]), to_sign.encode(), "sha256").hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return signed | _UNSIGNED | {"content-length": str(len(body))}

    def _key_for(self, secret: str, day: str) -> bytes:
        if self._key_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self.region, "events", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key, self._key_of = key, (secret, day)
        return self._key


def _epoch(value: object) -> int:
    """Epoch seconds of a Time: PutEvents keeps whole seconds."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    raise TypeError(f"PutEvents has no {type(value).__name__}")
