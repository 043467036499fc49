"""This module says what kept a connection from being made, in an operator's words, and looks at endpoints."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

#: Seconds that one endpoint gets.
PATIENCE_S = 5.0

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """What kept a connection from being made, and what to do."""

    words: str
    fix: str


@dataclass(frozen=True, slots=True)
class Reached:
    """An endpoint that answers. `skew_s`: how far its clock is ahead of ours; `certificate_ends`: epoch seconds;

    `status`: of HTTP.
    """

    seconds: float
    skew_s: float | None = None
    certificate_ends: float | None = None
    status: int | None = None


def why_unreachable(error: BaseException) -> Unreachable | None:
    """What an error of any library comes down to: name, TLS, time-out, refusal; None where it is none of them."""
    found = list(_causes(error))
    for kinds, words, fix in _KINDS:
        for one in found:
            if isinstance(one, kinds):
                return Unreachable(words.format(_said(one)), fix)
    if any(isinstance(one, OSError) and one.errno in _NO_ROUTE for one in found):
        return Unreachable("there is no route to it", "look at the network, and at IPv6 if the name has such addresses")
    return None


def in_words(error: BaseException) -> str:
    """The unreachable, or else what the error says of itself."""
    found = why_unreachable(error)
    said = str(error)
    if found is None or (said and isinstance(error, TimeoutError | httpx.TimeoutException)):
        return said or type(error).__name__
    return found.words


#: From the most telling to the least: a time-out is often only what a name server's silence looks like.
_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, str], ...] = (
    (socket.gaierror, "its name does not resolve ({})", "fix the host's name, or this machine's DNS"),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted ({})",
        "name the authority's file: AWS_CA_BUNDLE for AWS, SSL_CERT_FILE for Genesys, KAFKA_SSL_CAFILE for Kafka",
    ),
    (ssl.SSLError, "TLS fails ({})", "look whether the port speaks TLS, and at a proxy that opens it"),
    (httpx.ProxyError, "the proxy refuses ({})", "fix HTTPS_PROXY, or let the host pass in the proxy"),
    (ConnectionRefusedError, "it refuses the connection", "start it, or fix host and port"),
    (ConnectionResetError, "it breaks the connection off", "look whether a firewall or another protocol is behind it"),
    (
        (TimeoutError, httpx.ConnectTimeout),
        "time-out: nothing comes back",
        "open the way to it: firewall, security group, NAT or VPC endpoint",
    ),
    (httpx.ReadTimeout, "time-out: it is connected and says nothing", "look at what is behind the address"),
)


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "reason", None) or error)
    return str(getattr(error, "strerror", None) or error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came of, whichever way its library keeps it."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        inner += [getattr(one, "os_error", None), (getattr(one, "kwargs", None) or {}).get("error")]
        waiting += [each for each in inner if isinstance(each, BaseException)]


async def probe_url(url: str, cafile: str | None = None) -> Reached | Unreachable:
    """Ask a web server for anything, the way our clients do: by the proxy of the environment, with the CA file."""
    trusted = ssl.create_default_context(cafile=cafile) if cafile else True  # httpx knows SSL_CERT_FILE itself
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(verify=trusted, timeout=PATIENCE_S) as client:
            sent = time.time()
            async with client.stream("GET", url) as answer:
                stream = answer.extensions.get("network_stream")
                tls = stream.get_extra_info("ssl_object") if stream else None
                now = (sent + time.time()) / 2
                skew, seconds = _skew(answer.headers.get("date"), now), time.monotonic() - began
                return Reached(seconds, skew, certificate_end(tls), answer.status_code)
    except (httpx.HTTPError, TimeoutError) as error:
        return why_unreachable(error) or Unreachable(in_words(error), "look at the address and at a proxy before it")


async def probe_port(host: str, port: int, context: ssl.SSLContext | None) -> Reached | Unreachable:
    """Open a connection, with TLS where there is a context, and close it."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except OSError as error:  # TimeoutError and ssl.SSLError are of its kind
        return why_unreachable(error) or Unreachable(in_words(error), "look at the address")
    ends = certificate_end(writer.get_extra_info("ssl_object"))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return Reached(time.monotonic() - began, None, ends)


def certificate_end(tls: Any) -> float | None:
    """When the certificate of the other side ends, if it showed one that was checked."""
    shown = tls.getpeercert() if tls is not None else None
    return float(ssl.cert_time_to_seconds(shown["notAfter"])) if shown else None


def certificate_file_end(path: Path) -> float:
    """When the first certificate of a PEM file ends. Raises OSError and ssl.SSLError."""
    shown = ssl._ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]  # ssl has no public word for it
    return float(ssl.cert_time_to_seconds(shown["notAfter"]))


def _skew(date: str | None, now: float) -> float | None:
    """How far a Date header is ahead; it has whole seconds, so half of one is taken for the rest."""
    try:
        return parsedate_to_datetime(date).timestamp() + 0.5 - now if date else None
    except ValueError:
        return None
