"""Tests of how Kafka is reached: each protocol, for Faust and plain clients, and clear errors."""

import datetime
import json
import ssl
import sys
import time
from types import SimpleNamespace
from typing import ClassVar

import httpx
import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

from clients.kafka import cluster, login
from settings import SettingsError, load_settings
from streams import app

SASL = {"kafka_sasl_username": "u", "kafka_sasl_password": "p"}
OAUTH = {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_sasl_oauth_token_url": "https://login/token",
    "kafka_sasl_oauth_client_id": "id",
    "kafka_sasl_oauth_client_secret": "secret",
    "kafka_sasl_oauth_scope": "kafka",
}


@pytest.mark.parametrize(
    ("settings", "kind", "protocol"),
    [
        ({}, type(None), None),
        ({"kafka_security_protocol": "SSL"}, SSLCredentials, "SSL"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT", **SASL}, SASLCredentials, "SASL_PLAINTEXT"),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512", **SASL},
            SASLCredentials,
            "SASL_SSL",
        ),
        ({"kafka_security_protocol": "SASL_SSL", **OAUTH}, OAuthCredentials, "SASL_SSL"),
    ],
)
async def test_faust_and_plain_clients_log_in_alike(settings, kind, protocol):
    loaded = load_settings(**settings)
    found = app.credentials(loaded)
    assert isinstance(found, kind)
    if protocol:
        assert found.protocol.value == protocol
    options = login.client_options(loaded)
    assert options["security_protocol"] == loaded.kafka_security_protocol
    assert (options["ssl_context"] is not None) is ("SSL" in loaded.kafka_security_protocol)
    assert ("sasl_plain_password" in options) is (kind is SASLCredentials)
    assert ("sasl_oauth_token_provider" in options) is (kind is OAuthCredentials)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD not set"),
        ({"kafka_sasl_username": "u"}, "KAFKA_SASL_PASSWORD not set"),
        (
            {"kafka_sasl_mechanism": "OAUTHBEARER"},
            "KAFKA_SASL_OAUTH_TOKEN_URL and KAFKA_SASL_OAUTH_CLIENT_ID",
        ),
    ],
)
@pytest.mark.parametrize("made", [app.credentials, login.client_options], ids=["Faust", "plain clients"])
def test_what_a_protocol_needs_is_named(settings, missing, made):
    with pytest.raises(SettingsError, match=missing):
        made(load_settings(kafka_security_protocol="SASL_SSL", **settings))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of our own with an encrypted key, as files."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=now.year + 1)
    )
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    encoded = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked = serialization.BestAvailableEncryption(b"open sesame")
    (folder / "locked.pem").write_bytes(key.private_bytes(*encoded, locked))
    (folder / "key.pem").write_bytes(key.private_bytes(*encoded, serialization.NoEncryption()))
    return folder


@pytest.mark.parametrize(("key", "password"), [("key.pem", None), ("locked.pem", "open sesame")])
def test_a_client_certificate(certificate, key, password):
    context = login.ssl_context(
        load_settings(
            kafka_security_protocol="SSL",
            kafka_ssl_cafile=certificate / "cert.pem",
            kafka_ssl_certfile=certificate / "cert.pem",
            kafka_ssl_keyfile=certificate / key,
            kafka_ssl_key_password=password,
            kafka_ssl_check_hostname=False,
        )
    )
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_locked_key_asks_nobody_at_the_terminal(certificate, password):
    settings = load_settings(
        kafka_security_protocol="SSL",
        kafka_ssl_certfile=certificate / "cert.pem",
        kafka_ssl_keyfile=certificate / "locked.pem",
        kafka_ssl_key_password=password,
    )
    with pytest.raises(SettingsError, match="KAFKA_SSL_KEYFILE cannot be used"):
        login.ssl_context(settings)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match="KAFKA_SSL_CAFILE"):
        login.ssl_context(load_settings(kafka_security_protocol="SSL", kafka_ssl_cafile=path))


def tokens(monkeypatch, *answers):
    made = login.OAuthTokens(load_settings(kafka_security_protocol="SASL_SSL", **OAUTH))
    asked = []

    async def post(settings, secret):
        asked.append(secret.get_secret_value())
        answer = answers[len(asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        status, content = answer
        return httpx.Response(
            status, content=content, request=httpx.Request("POST", settings.kafka_sasl_oauth_token_url)
        )

    made._post = post
    return made, asked


async def test_a_token_is_kept_until_a_minute_before_its_end(monkeypatch):
    made, asked = tokens(monkeypatch, (200, json.dumps({"access_token": "t-1", "expires_in": 300}).encode()))
    assert [await made.token() for _ in range(3)] == ["t-1"] * 3
    assert asked == ["secret"]


@pytest.mark.parametrize(
    "given",
    [
        httpx.ConnectError("no"),
        httpx.InvalidURL("no"),
        (500, b""),
        (401, b"{}"),
        (200, b"x"),
        (200, b"{}"),
        (200, b"[]"),
    ],
)
async def test_without_a_token_kafka_is_away(monkeypatch, given):
    made, _ = tokens(monkeypatch, given)
    with pytest.raises(KafkaConnectionError, match="no token from KAFKA_SASL_OAUTH_TOKEN_URL") as caught:
        await made.token()
    assert cluster.is_unreachable(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KafkaConnectionError(), True),
        (KafkaTimeoutError(), True),
        (NotLeaderForPartitionError(), True),
        (TopicAuthorizationFailedError(), False),
        (KafkaError(), False),
    ],
)
def test_away_or_refused(error, expected):
    assert cluster.is_unreachable(error) is expected


async def test_no_broker_is_a_connection_error():
    with pytest.raises(KafkaConnectionError):
        await cluster.describe(load_settings(kafka_bootstrap_servers="127.0.0.1:1"))


class Signer:
    """Gives a token that ends in a while, and notes for which region."""

    asked: ClassVar[list[str]] = []

    @classmethod
    def generate_auth_token(cls, region):
        cls.asked.append(region)
        return f"token-{len(cls.asked)}", int((time.time() + 900) * 1000)


SIGNER = "aws_msk_iam_sasl_signer", SimpleNamespace(MSKAuthTokenProvider=Signer)
MSK = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "AWS_MSK_IAM",
    "kafka_bootstrap_servers": "b-1.calls.abc123.c2.kafka.eu-central-1.amazonaws.com:9098",
}


async def test_msk_is_logged_in_to_with_a_token_of_aws_own_credentials(monkeypatch):
    monkeypatch.setitem(sys.modules, *SIGNER)
    Signer.asked.clear()
    options = login.client_options(load_settings(**MSK, aws_region=None))
    assert options["sasl_mechanism"] == "OAUTHBEARER"
    provider = options["sasl_oauth_token_provider"]
    assert [await provider.token(), await provider.token()] == ["token-1", "token-1"]
    assert Signer.asked == ["eu-central-1"]
    assert (
        login.client_options(load_settings(**MSK, aws_region="eu-west-1"))["sasl_oauth_token_provider"]._region
        == "eu-west-1"
    )


def test_without_the_signer_or_a_region_a_start_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, *SIGNER)
    with pytest.raises(SettingsError, match="AWS_REGION not set"):
        login.client_options(load_settings(**MSK | {"kafka_bootstrap_servers": "broker:9098"}, aws_region=None))
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", None)
    with pytest.raises(SettingsError, match=r"pip install 'genesys-eventbridge\[msk-iam\]'"):
        login.client_options(load_settings(**MSK))
