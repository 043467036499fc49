"""This module says how to reach Kafka, for Faust and for plain clients, and makes topics."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import (
    KafkaConnectionError,
)
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from settings import Settings, SettingsError


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
        except (httpx.HTTPError, httpx.InvalidURL, LookupError, TypeError, ValueError) as error:
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


class MskTokens(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens for Amazon MSK, signed with AWS's own credentials; kept until a minute before they end."""

    def __init__(self, settings: Settings) -> None:
        self._region = settings.aws_region or _region_of(settings.kafka_bootstrap_servers)
        self._token = ""
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        async with self._lock:
            if time.time() >= self._ends - 60:
                try:
                    self._token, ends_ms = await asyncio.to_thread(_signer().generate_auth_token, self._region)
                except (BotoCoreError, ClientError, ValueError) as error:
                    raise KafkaConnectionError(f"no token for MSK: {type(error).__name__}: {error}") from None
                self._ends = ends_ms / 1000
            return self._token


def _signer() -> Any:
    """Raises SettingsError where the signer is not installed."""
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ImportError:
        raise SettingsError(
            "KAFKA_SASL_MECHANISM: AWS_MSK_IAM needs aws-msk-iam-sasl-signer-python: "
            "pip install 'genesys-eventbridge[msk-iam]'"
        ) from None
    return MSKAuthTokenProvider


def _region_of(brokers: str) -> str:
    """The region in the name of an MSK broker. Raises SettingsError."""
    found = re.search(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.", brokers)
    if found is None:
        raise SettingsError("AWS_REGION not set: KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs the region of the brokers")
    return found[1]


def token_provider(settings: Settings) -> OAuthTokens | MskTokens | None:
    """What gives tokens, for the mechanisms that have them."""
    if settings.kafka_sasl_mechanism == "AWS_MSK_IAM":
        return MskTokens(settings)
    return OAuthTokens(settings) if settings.kafka_sasl_mechanism == "OAUTHBEARER" else None


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


def client_options(settings: Settings) -> dict[str, Any]:
    """Arguments for aiokafka's own consumer, producer and admin client. Raises SettingsError as `credentials`."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        require_login(settings)
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        if provider := token_provider(settings):
            options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": provider}
        else:
            options["sasl_plain_username"] = settings.kafka_sasl_username
            options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()  # type: ignore[union-attr]
    return options


def require_login(settings: Settings) -> None:
    """Raise SettingsError when what the mechanism needs is missing."""
    if settings.kafka_sasl_mechanism == "AWS_MSK_IAM":
        _signer()
        MskTokens(settings)
        return
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
