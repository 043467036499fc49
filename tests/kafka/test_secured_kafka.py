"""Kafka behind TLS and SASL: a whole worker end to end, every way to log in, and refusals at once."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from clients.kafka import cluster
from settings import load_settings
from tests import forked
from tests.kafka.broker import free_ports
from tests.kafka.cluster import KafkaCluster
from tests.kafka.pipeline import Pipeline

EVENTS = 100

OAUTH_CLIENT = ("oauth-client", "oauth-client-password")

Environment = dict[str, str]


def _sasl(cluster: KafkaCluster, mechanism: str) -> Environment:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.sasl_ssl_bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": cluster.username,
        "KAFKA_SASL_PASSWORD": cluster.password,
        "KAFKA_SSL_CAFILE": str(cluster.ca_file),
    }


def _mutual_tls(cluster: KafkaCluster) -> Environment:
    files = cluster.certificates
    return {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.ssl_bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": str(files.authority_file),
        "KAFKA_SSL_CERTFILE": str(files.client_certificate_file),
        "KAFKA_SSL_KEYFILE": str(files.client_key_file),
    }


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives a token to the one client that it knows: unsecured, as Kafka's own handler for tests takes it."""

    asked: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:  # as the base class calls it
        self.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        known = "Basic " + base64.b64encode(":".join(OAUTH_CLIENT).encode()).decode()
        allowed = self.headers["Authorization"] == known
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": _token(), "expires_in": 600} if allowed else {}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the test looks at `asked`."""


def _token() -> str:
    now = int(time.time())
    parts = ({"alg": "none"}, {"sub": "worker", "iat": now, "exp": now + 600})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


@pytest.fixture
def token_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), TokenEndpoint) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
        server.shutdown()
        thread.join()


def _settings(environment: Environment):
    return load_settings(**{name.lower(): value for name, value in environment.items()})


def test_a_worker_runs_end_to_end_over_scram_and_tls(secured_kafka: KafkaCluster, tmp_path: Path):
    settings = _sasl(secured_kafka, "SCRAM-SHA-512")
    with Pipeline(secured_kafka.bootstrap_servers, tmp_path, settings) as pipeline:
        pipeline.start()
        pipeline.feed(range(EVENTS))
        account = pipeline.settled(EVENTS)
    assert (account.lost, account.wrong, account.unmirrored) == ((), (), ()), account
    assert account.duplicates == 0


@pytest.mark.parametrize(
    "environment",
    [
        lambda cluster: _sasl(cluster, "PLAIN"),
        lambda cluster: _sasl(cluster, "SCRAM-SHA-256"),
        lambda cluster: _sasl(cluster, "SCRAM-SHA-512"),
        _mutual_tls,
    ],
    ids=["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "mutual TLS"],
)
async def test_each_way_to_log_in_is_let_in(
    secured_kafka: KafkaCluster, environment: Callable[[KafkaCluster], Environment]
):
    assert (await cluster.describe(_settings(environment(secured_kafka)))).brokers == 1


async def test_a_token_of_the_token_endpoint_is_let_in(secured_kafka: KafkaCluster, token_url: str):
    name, password = OAUTH_CLIENT
    environment = _sasl(secured_kafka, "OAUTHBEARER") | {
        "KAFKA_SASL_OAUTH_TOKEN_URL": token_url,
        "KAFKA_SASL_OAUTH_CLIENT_ID": name,
        "KAFKA_SASL_OAUTH_CLIENT_SECRET": password,
        "KAFKA_SASL_OAUTH_SCOPE": "kafka",
    }
    assert (await cluster.describe(_settings(environment))).brokers == 1
    assert TokenEndpoint.asked[-1] == b"grant_type=client_credentials&scope=kafka"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_wrong_password_is_told_from_a_broker_that_is_away(secured_kafka: KafkaCluster, mechanism: str):
    settings = _settings(_sasl(secured_kafka, mechanism) | {"KAFKA_SASL_PASSWORD": "wrong-password"})
    with pytest.raises(cluster.LoginRefusedError, match=f"refuses the login by {mechanism}") as caught:
        await cluster.describe(settings)
    assert not cluster.is_unreachable(caught.value)
    assert "wrong-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"KAFKA_SASL_PASSWORD": "wrong-password"}, "refuses the login by PLAIN"),
        ({"KAFKA_SSL_CAFILE": ""}, "shows a certificate that is not trusted"),
    ],
    ids=["wrong password", "unknown authority"],
)
def test_a_refused_login_ends_the_start_at_once_with_one_line(
    secured_kafka: KafkaCluster, tmp_path: Path, wrong: Environment, words: str
):
    settings = _sasl(secured_kafka, "PLAIN") | wrong | {"LOG_LEVEL": "debug"}
    with Pipeline(secured_kafka.bootstrap_servers, tmp_path, settings) as pipeline:
        ended = forked.run(["worker"], pipeline.environment(WEB_PORT=str(free_ports(1)[0])))
    lines = [line for line in ended.err.splitlines() if line.startswith("genesys-eventbridge: ")]
    assert ended.code == 2, ended.err
    assert len(lines) == 1, ended.err
    assert words in lines[0]
    assert '"event": "waiting"' not in ended.err  # it does not pass by itself, so nothing is waited for
    assert "wrong-password" not in ended.out + ended.err
