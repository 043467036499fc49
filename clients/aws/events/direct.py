"""This module calls PutEvents with botocore's credentials and connections, without what the SDK repeats each call.

Through the whole client a call costs about 1 ms of CPU: endpoint rules, validation, serializer, signer, parser. Here
the endpoint is resolved once, orjson writes and reads the body, and the day's signing key is kept. Sockets, TLS,
proxies, custom CAs and credentials that renew stay aiobotocore's, and botocore's own parser reads what is refused:
callers meet the same exceptions as with the whole client.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import NoCredentialsError
from botocore.parsers import ResponseParserError

from clients.aws.answers import note_answer, note_sent
from clients.aws.client import open_client
from processors.routes.target import Target
from settings import Settings

TARGET = "AWSEvents.PutEvents"
CONTENT_TYPE = "application/x-amz-json-1.1"


@asynccontextmanager
async def open_events(settings: Settings, target: Target | None = None) -> AsyncIterator[Any]:
    """The client that EVENTBRIDGE_CLIENT names; for a global endpoint, whose signatures are others, the whole one.

    Raises AwsConfigurationError as `open_client` does.
    """
    is_direct = settings.eventbridge_client == "direct" and not (target and target.endpoint_id)
    async with open_client(settings, "events", DirectEvents if is_direct else None, target=target) as client:
        yield client


class DirectEvents:
    """Stands in for an aioboto3 `events` client in `put_events`; every other call is the client's own."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._operation = client.meta.service_model.operation_model("PutEvents")
        self._signer: Signer | None = None

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    async def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """PutEvents as botocore takes and answers it. Raises BotoCoreError, ClientError or ResponseParserError."""
        body = orjson.dumps({"Entries": Entries}, default=_epoch, option=orjson.OPT_PASSTHROUGH_DATETIME)
        signer = self._signer = self._signer or await self._resolve()
        headers = signer.headers(body, await self._credentials(), time.gmtime())
        request = AWSPreparedRequest("POST", signer.url, HeadersDict(headers), body, False)
        note_sent()
        return await self._read(await self._client._endpoint.http_session.send(request))

    async def _resolve(self) -> Signer:
        context: dict[str, Any] = {"client_region": self._client.meta.region_name, "client_config": {}}
        url, _, _ = await self._client._resolve_endpoint_ruleset(self._operation, {}, context)
        region = context.get("signing", {}).get("region") or self._client._request_signer.region_name
        return Signer(url.rstrip("/") + "/", region)

    async def _credentials(self) -> Any:
        credentials = self._client._request_signer._credentials
        if credentials is None:
            raise NoCredentialsError
        return await credentials.get_frozen_credentials()

    async def _read(self, response: Any) -> Mapping[str, Any]:
        note_answer({"status_code": response.status_code, "headers": response.headers})
        body = await response.content
        if response.status_code == 200:
            try:
                answer = orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise ResponseParserError(f"the answer to PutEvents is not JSON: {error}") from None
            if not isinstance(answer, dict):
                raise ResponseParserError("the answer to PutEvents is not a JSON object")
            return answer
        received = {"headers": response.headers, "status_code": response.status_code, "body": body, "context": {}}
        try:
            parsed = await self._client._response_parser.parse(received, self._operation.output_shape)
        except ValueError as error:  # a page in another encoding than AWS's
            raise ResponseParserError(f"HTTP {response.status_code} with a body that nobody can read") from error
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
        return signed | {"content-length": str(len(body)), "user-agent": "genesys-eventbridge"}

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
