"""This module opens AWS clients: the default provider chain, one attempt a call, the timeouts of the settings.

The SDK retries nothing: no mode of it retries an entry that PutEvents refused, so the retries are ours, in one
layer (clients/publisher.py, clients/sqs.py).
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from processors.retry import CREDENTIALS
from streams.settings import Settings

#: Everything an AWS call can raise.
AWS_ERRORS = (BotoCoreError, ClientError)


class AwsConfigurationError(Exception):
    """AWS cannot be called as things are set; the text names the remedy."""


def open_client(settings: Settings, service: str) -> AbstractAsyncContextManager[Any]:
    """A client for `service`, to be entered with `async with`. Raises AwsConfigurationError without a region."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=settings.eventbridge_timeout,
        max_pool_connections=max(10, settings.eventbridge_in_flight * 2),
        tcp_keepalive=True,
    )
    session = aioboto3.Session(region_name=settings.aws_region)
    try:
        client = session.client(service, endpoint_url=settings.aws_endpoint_url, config=config)
    except NoRegionError:
        raise AwsConfigurationError("no AWS region: set AWS_REGION") from None
    return client  # type: ignore[no-any-return]


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
    return isinstance(
        error, (HTTPClientError, NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
    )
