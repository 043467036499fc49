"""Tests of the names by which the views may be asked."""

import pytest

from streams.web.allowed_hosts import Hosts, is_loopback

HOSTS = Hosts(["0.0.0.0", "10.1.2.3", "Worker-1.example", "2001:db8::1", ""])


@pytest.mark.parametrize(
    "header",
    [None, "localhost", "localhost:6066", "127.0.0.1:6066", "127.8.9.1", "[::1]:6066", "10.1.2.3:80",
     "worker-1.EXAMPLE:1", "worker-1.example.", "[2001:db8::1]", "10.9.9.9:6066", "[::ffff:10.9.9.9]"],
)  # fmt: skip
def test_ours_are_answered(header):
    assert HOSTS.allows(header, "10.9.9.9")


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "evil.example:6066", "0.0.0.0", "10.9.9.8", "localhost.evil.example", "127.0.0.1.evil.example",
     "a@localhost", "localhost/x", "localhost:x", "[::1", "worker-1", "1270.0.0.1"],
)  # fmt: skip
def test_others_are_not(header):
    assert not HOSTS.allows(header, "10.9.9.9")


def test_an_address_is_ours_when_the_connection_came_to_it():
    assert Hosts([]).allows("[fe80::1]:1", "fe80::1%eth0")
    assert not Hosts([]).allows("10.0.0.1", None)


@pytest.mark.parametrize(
    ("host", "holds"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False), ("a.b", False)],
)
def test_loopback(host, holds):
    assert is_loopback(host) is holds
