"""This module tests what a start looks at of the machine it runs on."""

from __future__ import annotations

import socket

import pytest

from streams.worker.preflight import probe


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_free_is_no_trouble_and_stays_free(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    probe(host, port)
    probe(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_is(taken, host):
    with pytest.raises(OSError, match="Address already in use"):
        probe(host, taken)


def test_an_address_of_another_machine_is():
    with pytest.raises(OSError, match="Cannot assign requested address"):
        probe("192.0.2.1", 6066)


def test_a_family_that_this_machine_lacks_does_not_matter():
    known = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    foreign = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    probe("localhost", 0, lambda *_, **__: foreign + known)
