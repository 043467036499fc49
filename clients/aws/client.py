"""This module opens AWS clients: default provider chain, one attempt a call, the timeouts of the settings.

The SDK retries nothing: no mode of it retries an entry that PutEvents refused, so the retries are ours, in
one layer (clients/aws/events/publisher.py, clients/aws/sqs_sender.py).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aioboto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ConfigParseError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    InvalidRegionError,
    InvalidSTSRegionalEndpointsConfigError,
    MissingDependencyException,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    UnknownCredentialError,
)

from clients.aws.answers import (
    SLACK_S,
    AwsConfigurationError,
    BoundedClient,
    NoCredentialsGivenError,
    reason,
)
from clients.aws.roles import assume
from processors.routes.target import Target
from settings import Settings

#: What is written wrong in AWS's config file or in the environment: no wait fixes it.
MISCONFIGURED = (
    ConfigParseError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    InvalidRegionError,
    InvalidSTSRegionalEndpointsConfigError,
    MissingDependencyException,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    UnknownCredentialError,
)


#: Models of services that botocore has none of.
MODELS = Path(__file__).parent / "models"


def _without_traceback(record: logging.LogRecord) -> bool:
    """Why there are no credentials is raised as well as logged: its traceback tells an operator nothing."""
    record.exc_info = record.exc_text = None
    return True


for _library in ("aiobotocore", "botocore"):
    for _module in ("credentials", "tokens", "utils"):
        logging.getLogger(f"{_library}.{_module}").addFilter(_without_traceback)


def _config(read_timeout: float, connections: int) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=min(5.0, read_timeout),
        read_timeout=read_timeout,
        max_pool_connections=max(10, connections),
        tcp_keepalive=True,
    )


def _session(region: str | None) -> Any:
    """One that knows the services of clients/aws/models/ as well."""
    session = aioboto3.Session(region_name=region)
    session._session.get_component("data_loader").search_paths.append(str(MODELS))
    return session


def _check_authorities(path: str | None) -> None:
    """Raises AwsConfigurationError where AWS_CA_BUNDLE, which connections load later, is no file of certificates."""
    try:
        if path and path.lower() != "none":
            ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is of its kind
        raise AwsConfigurationError(f"AWS_CA_BUNDLE {path}: {error.strerror or error}: fix it") from error


@asynccontextmanager
async def open_client(
    settings: Settings,
    service: str,
    wrap: Callable[[Any], Any] | None = None,
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    read_timeout: float | None = None,
    target: Target | None = None,
) -> AsyncIterator[Any]:
    """A client for `service`, whose calls raise AWS_ERRORS alone (clients/aws/answers.py).

    `wrap` makes another of aioboto3's; `region`, `endpoint_url` and `read_timeout` (s) where they are not those of the
    settings, whose AWS_ENDPOINT_URL goes before; `target`: a role to act by, and its region. Raises
    AwsConfigurationError for a region, a profile or credentials that are set wrong, NoCredentialsGivenError when what
    gives the credentials fails just now.
    """
    read_timeout = read_timeout or settings.eventbridge_timeout
    config = _config(read_timeout, settings.eventbridge_in_flight * 2)
    stack = AsyncExitStack()
    seconds = read_timeout + SLACK_S
    with _remedies(seconds):
        async with asyncio.timeout(seconds):
            region = (target.region if target else None) or region or settings.aws_region
            session, url = _session(region), settings.aws_endpoint_url or endpoint_url
            _check_authorities(session._session.get_config_variable("ca_bundle"))
            if target and target.role:
                await assume(session._session, target.role, target.external_id, endpoint_url=url, config=config)
            client = await stack.enter_async_context(session.client(service, endpoint_url=url, config=config))
    async with stack:
        yield BoundedClient(wrap(client) if wrap else client, seconds)


@contextmanager
def _remedies(seconds: float) -> Iterator[None]:
    """Tell what fails while a client is opened as AwsConfigurationError or NoCredentialsGivenError."""
    try:
        yield
    except AwsConfigurationError:
        raise
    except NoRegionError:
        raise AwsConfigurationError("no AWS region: set AWS_REGION") from None
    except MISCONFIGURED as error:
        raise AwsConfigurationError(
            f"{' '.join(str(error).split()).rstrip('.')}: fix AWS_REGION, AWS_PROFILE or AWS's config file"
        ) from error
    except (FileNotFoundError, PermissionError) as error:
        raise AwsConfigurationError(
            f"what gives the credentials needs {error.filename} ({error.strerror}): fix AWS's config or environment"
        ) from error
    except TimeoutError:
        raise NoCredentialsGivenError(f"no AWS credentials within {seconds:g} s: look at what gives them") from None
    except BotoCoreError as error:
        raise NoCredentialsGivenError(f"no AWS credentials: {reason(error)}") from error
    except Exception as error:  # of any kind: what a credential_process or an endpoint gave is read without a check
        if type(error) is ValueError:  # of botocore's own words about a setting; what was read raises kinds of it
            raise AwsConfigurationError(f"{error}: fix AWS's config or environment") from error
        raise NoCredentialsGivenError(f"no AWS credentials: what gives them failed ({reason(error)})") from error
