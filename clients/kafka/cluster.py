"""This module asks the brokers: who is there, which topics, and why they refuse."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from clients.kafka.admin import REQUEST_MS
from clients.kafka.login import client_options
from settings import Settings

#: A right is missing.
_NOT_ALLOWED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)


class LoginRefusedError(KafkaError):  # type: ignore[misc]
    """A broker answers, but refuses the credentials, or shows a certificate not trusted: no wait fixes it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the brokers say of themselves: how many they are, and the partition count of every topic."""

    brokers: int
    partitions: dict[str, int]


async def describe(settings: Settings, touch: Iterable[str] = ()) -> Cluster:
    """Ask the brokers for their metadata. To `touch` a topic makes it where brokers create on first use.

    Raises KafkaError; KafkaConnectionError when no broker answers, LoginRefusedError when one refuses us.
    """
    client = AIOKafkaClient(**client_options(settings), request_timeout_ms=REQUEST_MS)
    try:
        await _bootstrap(client, settings)
        await client.force_metadata_update()
        if touch:
            await client.set_topics(list(touch))
            await client.force_metadata_update()
        known = client.cluster
        found = {name: len(known.partitions_for_topic(name) or ()) for name in (*known.topics(), *touch)}
        return Cluster(len(known.brokers()), {name: number for name, number in found.items() if number})
    finally:
        await client.close()


async def _bootstrap(client: AIOKafkaClient, settings: Settings) -> None:
    """Connect. The client only logs why no broker let it in, so each is asked once more for its reason."""
    try:
        await client.bootstrap()
    except KafkaConnectionError:
        if settings.kafka_security_protocol != "PLAINTEXT":
            for host, port, _ in client.hosts:
                await _raise_refusal(settings, host, port)
        raise


async def _raise_refusal(settings: Settings, host: str, port: int) -> None:
    options = client_options(settings)
    del options["bootstrap_servers"]
    try:
        connection = await create_conn(host, port, request_timeout_ms=REQUEST_MS, **options)
    except (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError) as error:
        raise LoginRefusedError(f"refuses the login by {settings.kafka_sasl_mechanism}: {error}") from None
    except ssl.SSLCertVerificationError as error:
        raise LoginRefusedError(f"shows a certificate that is not trusted: {error.verify_message}") from None
    except (KafkaError, OSError):  # OSError takes in the time-outs: nobody refused, so nobody answered
        return
    connection.close()


def why_refused(error: Exception, rights: str) -> str:
    """The error by its name, and what to do; `rights`: what is to be allowed where it is not."""
    if isinstance(error, _NOT_ALLOWED):
        fix = f"allow {rights}"
    elif not isinstance(error, KafkaError) or isinstance(error, KafkaConnectionError | KafkaTimeoutError):
        fix = "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"
    else:
        fix = "look at the brokers, and by `genesys-eventbridge check`"
    return f"{type(error).__name__} ({fix})"


def is_unreachable(error: KafkaError) -> bool:
    """Whether the error says that no broker answers, rather than that it refuses."""
    return isinstance(error, KafkaConnectionError | KafkaTimeoutError) or bool(error.retriable)
