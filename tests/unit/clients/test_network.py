"""This module tests what kept a connection from being made, and the look at endpoints, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
import time
from email.utils import formatdate

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.network import Reached, Unreachable, certificate_file_end, probe_port, probe_url, why_unreachable


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("All connection attempts failed"), None),
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), "does not resolve"),
        (caused(httpx.ConnectError("x"), ConnectionRefusedError(111, "refused")), "refuses"),
        (caused(OSError("x"), ExceptionGroup("all", [ConnectionRefusedError(111, "r")])), "refuses"),
        (EndpointConnectionError(endpoint_url="u", error=socket.gaierror(-2, "unknown")), "does not resolve"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "TLS fails"),
        (TimeoutError(), "time-out: nothing comes back"),
        (httpx.ReadTimeout("slow"), "time-out: it is connected and says nothing"),
        (OSError(113, "No route to host"), "no route"),
        (ConnectionResetError(104, "reset"), "breaks the connection off"),
    ],
)
def test_an_error_of_any_library_comes_down_to_one_hindrance(error, words):
    found = why_unreachable(error)
    assert (found is None) is (words is None)
    if found is not None:
        assert words in found.words
        assert found.fix


@pytest.fixture
def certificate(tmp_path):
    """A certificate of its own authority for localhost, which ends in five days."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ends = now + datetime.timedelta(days=5)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "here.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path, ends.timestamp()


@pytest.fixture
async def https(certificate):
    """A server behind TLS whose clock is an hour ahead: its port."""

    async def answer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            date = formatdate(time.time() + 3600, usegmt=True)
            writer.write(f"HTTP/1.1 403 No\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[0])
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_an_endpoint_that_answers_tells_its_clock_and_its_certificate(https, certificate):
    found = await probe_url(f"https://localhost:{https}/", str(certificate[0]))
    assert isinstance(found, Reached)
    assert found.status == 403
    assert found.skew_s == pytest.approx(3600, abs=3)
    assert found.certificate_ends == certificate[1]


async def test_an_authority_that_is_not_known_is_told_from_an_answer(https):
    found = await probe_url(f"https://localhost:{https}/")
    assert isinstance(found, Unreachable)
    assert "not trusted" in found.words
    assert "AWS_CA_BUNDLE" in found.fix


async def test_what_speaks_no_tls_is_told(https, certificate):
    async def answer(_, writer):
        writer.write(b"SSH-2.0\r\n" * 9)
        writer.close()

    plain = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with plain:
        port = plain.sockets[0].getsockname()[1]
        found = await probe_port("localhost", port, ssl.create_default_context())
    assert isinstance(found, Unreachable)
    assert "TLS fails" in found.words


async def test_a_port_behind_tls_tells_its_certificate(https, certificate):
    found = await probe_port("localhost", https, ssl.create_default_context(cafile=str(certificate[0])))
    assert isinstance(found, Reached)
    assert found.certificate_ends == certificate[1]


async def test_nobody_at_home_and_a_name_that_is_none():
    assert "refuses" in (await probe_url("http://127.0.0.1:1/")).words
    assert "does not resolve" in (await probe_url("http://nowhere.invalid/")).words
    assert "does not resolve" in (await probe_port("nowhere.invalid", 9092, None)).words


def test_a_certificate_file_tells_its_end(certificate):
    assert certificate_file_end(certificate[0]) == certificate[1]
