"""This module says how to reach Kafka, for Faust and for plain clients, and makes topics."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import (
    KafkaConnectionError,
)
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
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = OAuthTokens(settings)
        else:
            options["sasl_plain_username"] = settings.kafka_sasl_username
            options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()  # type: ignore[union-attr]
    return options


def require_login(settings: Settings) -> None:
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
