"""This module opens AWS clients: default provider chain, one attempt a call, the timeouts of the settings.

The SDK retries nothing: no mode of it retries an entry that PutEvents refused, so the retries are ours, in
one layer (clients/aws/publisher.py, clients/aws/sqs_sender.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from processors.delivery.retry import CREDENTIALS
from settings import Settings

#: Everything an AWS call can raise.
AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)

#: No answer of the service: the network, a proxy's page, or credentials that are not there just now.
UNANSWERED = (
    ConnectionError,
    HTTPClientError,
    ResponseParserError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    TokenRetrievalError,
    SSOError,
)


class AwsConfigurationError(Exception):
    """AWS cannot be called as things are set; the text names the remedy."""


@asynccontextmanager
async def open_client(
    settings: Settings, service: str, *, region: str | None = None, read_timeout: float | None = None
) -> AsyncIterator[Any]:
    """A client for `service`; `region` and `read_timeout` (s) where they are not those of the settings.

    Raises AwsConfigurationError for a region or profile that cannot be used.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=read_timeout or settings.eventbridge_timeout,
        max_pool_connections=max(10, settings.eventbridge_in_flight * 2),
        tcp_keepalive=True,
    )
    stack = AsyncExitStack()
    try:
        session = aioboto3.Session(region_name=region or settings.aws_region)
        opening = session.client(service, endpoint_url=settings.aws_endpoint_url, config=config)
        client = await stack.enter_async_context(opening)
    except NoRegionError:
        raise AwsConfigurationError("no AWS region: set AWS_REGION") from None
    except (InvalidRegionError, ProfileNotFound, ConfigParseError) as error:
        raise AwsConfigurationError(
            f"{str(error).rstrip('.')}: fix AWS_REGION, AWS_PROFILE or AWS's config file"
        ) from None
    async with stack:
        yield client


def error_code(error: Exception) -> str:
    """The code AWS answered, or the name of what kept it from answering."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "Unknown")
    return type(error).__name__


def status(error: Exception) -> int | None:
    """HTTP status of the answer; None when there was none."""
    if isinstance(error, ClientError):
        found = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return int(found) if found else None
    return None


def is_unanswered(error: Exception) -> bool:
    """Whether AWS did not answer, or answered only that it does not know the caller any more.

    No event is to blame for either, and both end by themselves or by an operator's hand.
    """
    if isinstance(error, ClientError):
        return error_code(error) in CREDENTIALS
    return isinstance(error, UNANSWERED)
