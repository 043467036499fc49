"""This module tests the look at every endpoint that the settings name."""

from __future__ import annotations

import time

import pytest

from clients.network import Reached, Unreachable
from settings import load_settings
from streams.checks import endpoints as module
from streams.checks.endpoints import check_endpoints


@pytest.fixture
def probes(monkeypatch):
    """Sets what a look at an endpoint finds."""
    return lambda probe: monkeypatch.setattr(module, probe.__name__, probe)


async def look(services=(), **settings):
    found = await check_endpoints(load_settings(**{"genesys_source": "none", **settings}), services)
    return {one.name: one for one in found}


async def test_endpoints_are_reached_once_each_and_tell_the_clock(aws):
    found = await look(
        ["events", "cloudwatch"],
        aws_endpoint_url=aws.url,
        aws_region="eu-west-1",
        kafka_bootstrap_servers="127.0.0.1:1",
    )
    place = aws.url.removeprefix("http://")
    assert list(found) == [f"endpoint {place}", "endpoint 127.0.0.1:1", "clock"]
    assert found[f"endpoint {place}"].ok
    assert found["clock"].detail == "this machine's is right to the second"


async def test_a_broker_of_several_that_is_away_is_a_warning(probes):
    async def probe_port(host, port, context):
        return Reached(0.01) if host == "a" else Unreachable("its name does not resolve (x)", "fix the host's name")

    probes(probe_port)
    found = await look(kafka_bootstrap_servers="a:9092,b:9093")
    assert [one.ok for one in found.values()] == [True, True]
    assert found["endpoint b:9093"].fix == "fix the host's name"
    found = await look(kafka_bootstrap_servers="b:9093")
    assert not found["endpoint b:9093"].ok


@pytest.mark.parametrize(
    ("days", "ok", "fix"), [(90, True, ""), (9, True, "renew the certificate"), (-1, False, "renew the certificate")]
)
async def test_a_certificate_near_its_end_is_told(probes, days, ok, fix):
    async def probe_url(url, cafile):
        return Reached(0.01, 0.0, time.time() + days * 86_400, 200)

    probes(probe_url)
    found = await look(genesys_source="stream", genesys_base_url="https://api.example")
    assert (found["endpoint api.example"].ok, found["endpoint api.example"].fix) == (ok, fix)
    assert "endpoint login.example" in found


async def test_a_client_certificate_that_is_none_is_told(tmp_path):
    (tmp_path / "client.pem").write_text("no")
    (tmp_path / "ca.pem").write_text("no")
    found = await look(
        kafka_security_protocol="SSL",
        kafka_ssl_cafile=tmp_path / "ca.pem",
        kafka_ssl_certfile=tmp_path / "client.pem",
    )
    assert not found["KAFKA_SSL_CERTFILE"].ok


async def test_a_receiver_of_spans_that_is_away_is_a_warning():
    found = await look(kafka_bootstrap_servers="127.0.0.1:1", otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    assert [(one.ok, bool(one.fix)) for one in found.values()] == [(True, True), (False, True)]
