"""This module reaches every endpoint that the settings name: its name, the way to it, its certificate, its clock."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from clients.aws.answers import NOT_OPENED
from clients.aws.client import open_client
from clients.kafka.login import ssl_context
from clients.network import Reached, Unreachable, certificate_file_end, probe_port, probe_url
from settings import Settings, SettingsError
from settings.fields import BROKER
from streams.checks.finding import Finding
from streams.checks.machine import check_clock

#: Tries one endpoint.
Probe = Callable[[], Awaitable[Reached | Unreachable]]

#: Days before its end at which a certificate is told.
CERTIFICATE_DAYS = 21


async def check_endpoints(settings: Settings, services: Iterable[str]) -> list[Finding]:
    """Reach each endpoint once. `services`: of AWS, by the SDK's names."""
    receiver = settings.otel_exporter_otlp_endpoint
    urls = dict.fromkeys([*_genesys_urls(settings), *_token_url(settings), *filter(None, [receiver])], "")
    urls |= dict.fromkeys(await _aws_urls(settings, services), os.environ.get("AWS_CA_BUNDLE", ""))
    probes: dict[str, Probe] = {_place(url): partial(probe_url, url, cafile or None) for url, cafile in urls.items()}
    probes |= _broker_probes(settings)
    reached = dict(zip(probes, await asyncio.gather(*(probe() for probe in probes.values())), strict=True))
    brokers = {place: one for place, one in reached.items() if place in _brokers(settings)}
    enough = any(isinstance(one, Reached) for one in brokers.values())
    spared = {*(brokers if enough else ()), _place(receiver or "")}  # no event waits for who receives spans
    findings = [_finding(place, one, is_spared=place in spared) for place, one in reached.items()]
    skews = [one.skew_s for one in reached.values() if isinstance(one, Reached) and one.skew_s is not None]
    return [*findings, *check_clock(skews), *_own_certificate(settings)]


def _genesys_urls(settings: Settings) -> list[str]:
    if settings.genesys_source not in ("notifications", "stream"):
        return []
    return [settings.api_url, settings.login_url]


def _token_url(settings: Settings) -> list[str]:
    uses = settings.kafka_security_protocol.startswith("SASL") and settings.kafka_sasl_mechanism == "OAUTHBEARER"
    return [settings.kafka_sasl_oauth_token_url] if uses and settings.kafka_sasl_oauth_token_url else []


async def _aws_urls(settings: Settings, services: Iterable[str]) -> list[str]:
    """Where the SDK goes; what is set wrong about that is told where it is used."""
    urls = [url for url in (settings.source_queue_url, settings.dlq_queue_url) if url]
    try:
        for service in services:
            async with open_client(settings, service) as client:
                urls.append(client.endpoint_url)
    except NOT_OPENED:
        pass  # the finding of the bus says so
    return urls


def _brokers(settings: Settings) -> list[str]:
    return settings.kafka_bootstrap_servers.split(",")


def _broker_probes(settings: Settings) -> dict[str, Probe]:
    try:
        context = ssl_context(settings)
    except SettingsError:  # the finding of Kafka says so
        return {}
    probes: dict[str, Probe] = {}
    for broker in _brokers(settings):
        match = BROKER.fullmatch(broker)
        port = int(match[1] or 9092) if match else 9092
        host = broker.removesuffix(f":{port}").strip("[]")
        probes[broker] = partial(probe_port, host, port, context)
    return probes


def _place(url: str) -> str:
    return urlsplit(url).netloc


def _finding(place: str, found: Reached | Unreachable, *, is_spared: bool) -> Finding:
    """`is_spared`: whether a worker goes on without it."""
    name = f"endpoint {place}"
    if isinstance(found, Unreachable):
        return Finding(name, is_spared, found.words, found.fix, unreachable=True)
    detail = f"reached in {found.seconds * 1000:.0f} ms"
    if found.certificate_ends is None:
        return Finding(name, True, detail)
    return _certificate(name, f"{detail}, its certificate ends", found.certificate_ends)


def _own_certificate(settings: Settings) -> list[Finding]:
    """The certificate that we show to Kafka."""
    if "SSL" not in settings.kafka_security_protocol or settings.kafka_ssl_certfile is None:
        return []
    path = Path(settings.kafka_ssl_certfile)
    try:
        return [_certificate("KAFKA_SSL_CERTFILE", "ends", certificate_file_end(path))]
    except OSError as error:
        detail = f"{path} holds no certificate that can be read: {error.strerror or error}"
        return [Finding("KAFKA_SSL_CERTFILE", False, detail, "give the client certificate in PEM")]


def _certificate(name: str, words: str, ends: float) -> Finding:
    days = (ends - time.time()) / 86_400
    detail = f"{words} {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
    if days < 0:
        return Finding(name, False, f"{detail}: it is over", "renew the certificate")
    return Finding(name, True, detail, "renew the certificate" if days < CERTIFICATE_DAYS else "")
