"""This module asks the brokers: who is there, which topics, and why they refuse."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    InvalidPartitionsError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    UnsupportedSaslMechanismError,
    for_code,
)

from clients.kafka.login import client_options
from settings import Settings

#: Milliseconds that a broker gets to answer what is asked once.
REQUEST_MS = 10_000


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


async def create_topic(settings: Settings, name: str, partitions: int, replicas: int, configs: dict[str, str]) -> None:
    """Create a topic; one that exists already (another worker was quicker) is fine. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=10_000)
    try:
        await admin.start()
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas, topic_configs=configs)
        answer = await admin.create_topics([topic], timeout_ms=10_000)
    except TopicAlreadyExistsError:
        return
    finally:
        await admin.close()
    for _, code, *rest in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(rest[0] if rest and rest[0] else name)


async def add_partitions(settings: Settings, wanted: Mapping[str, int]) -> None:
    """Give topics so many partitions; who has them already (another worker was quicker) is fine. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        for topic, number in wanted.items():
            with contextlib.suppress(InvalidPartitionsError):
                await admin.create_partitions({topic: NewPartitions(number)}, timeout_ms=REQUEST_MS)
    finally:
        await admin.close()


def is_unreachable(error: KafkaError) -> bool:
    """Whether the error says that no broker answers, rather than that it refuses."""
    return isinstance(error, KafkaConnectionError | KafkaTimeoutError) or bool(error.retriable)
