"""This module says how to reach Kafka, for Faust and for plain clients, and makes topics."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    UnsupportedSaslMechanismError,
    for_code,
)
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from pydantic import SecretStr

from streams.settings import Settings, SettingsError

#: Milliseconds that a broker gets to answer what is asked once.
REQUEST_MS = 10_000


class LoginRefusedError(KafkaError):  # type: ignore[misc]
    """A broker answers, but refuses the credentials, or shows a certificate not trusted: no wait mends it."""


class OAuthTokens(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens for OAUTHBEARER, by the client-credentials grant; kept until a minute before they end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = ""
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._ends:
                self._token, seconds = await self._fetch()
                self._ends = now + max(seconds - 60, seconds / 2)
            return self._token

    async def _fetch(self) -> tuple[str, float]:
        settings = self._settings
        secret = settings.kafka_sasl_oauth_client_secret
        try:
            answer = await self._post(settings, secret)
            body = answer.raise_for_status().json()
            return body["access_token"], float(body.get("expires_in", 300))
        except (httpx.HTTPError, LookupError, TypeError, ValueError) as error:
            raise KafkaConnectionError(f"no token from KAFKA_SASL_OAUTH_TOKEN_URL: {type(error).__name__}") from None

    async def _post(self, settings: Settings, secret: SecretStr | None) -> httpx.Response:
        async with httpx.AsyncClient(timeout=10) as client:
            return await client.post(
                settings.kafka_sasl_oauth_token_url or "",
                data={
                    "grant_type": "client_credentials",
                    **({"scope": settings.kafka_sasl_oauth_scope} if settings.kafka_sasl_oauth_scope else {}),
                },
                auth=(settings.kafka_sasl_oauth_client_id or "", secret.get_secret_value() if secret else ""),
            )


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS for the protocols that have it. Raises SettingsError for files that cannot be read."""
    if "SSL" not in settings.kafka_security_protocol:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
        context.check_hostname = settings.kafka_ssl_check_hostname
        if settings.kafka_ssl_certfile:
            password = settings.kafka_ssl_key_password
            context.load_cert_chain(
                settings.kafka_ssl_certfile,
                settings.kafka_ssl_keyfile,
                password.get_secret_value() if password else "",  # None would ask the terminal for it
            )
    except OSError as error:
        raise SettingsError(
            f"KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE or KAFKA_SSL_KEYFILE cannot be used: {error.strerror or error}"
        ) from None
    return context


def credentials(settings: Settings) -> Credentials | None:
    """What Faust logs in with. Raises SettingsError when a setting that the protocol needs is missing."""
    context = ssl_context(settings)
    if not settings.kafka_security_protocol.startswith("SASL"):
        return SSLCredentials(context) if context else None
    _require_login(settings)
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=OAuthTokens(settings), ssl_context=context)
    return SASLCredentials(
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password.get_secret_value(),  # type: ignore[union-attr]
        ssl_context=context,
    )


def client_options(settings: Settings) -> dict[str, Any]:
    """Arguments for aiokafka's own consumer, producer and admin client. Raises SettingsError as `credentials`."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        _require_login(settings)
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = OAuthTokens(settings)
        else:
            options["sasl_plain_username"] = settings.kafka_sasl_username
            options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()  # type: ignore[union-attr]
    return options


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


def is_away(error: KafkaError) -> bool:
    """Whether the error says that no broker answers, rather than that it refuses."""
    return isinstance(error, KafkaConnectionError | KafkaTimeoutError) or bool(error.retriable)


def _require_login(settings: Settings) -> None:
    """Raise SettingsError when a setting that the mechanism needs is missing."""
    names = (
        ("kafka_sasl_oauth_token_url", "kafka_sasl_oauth_client_id", "kafka_sasl_oauth_client_secret")
        if settings.kafka_sasl_mechanism == "OAUTHBEARER"
        else ("kafka_sasl_username", "kafka_sasl_password")
    )
    missing = [name.upper() for name in names if getattr(settings, name) is None]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} not set: KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol} "
            f"with KAFKA_SASL_MECHANISM={settings.kafka_sasl_mechanism} needs them"
        )
