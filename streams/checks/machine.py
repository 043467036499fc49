"""This module looks at the machine that a worker runs on: its folder, its port and who may use it, and its clock."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from clients.otlp import INSTALL
from settings import Settings
from streams.checks.finding import Finding
from streams.web.allowed_hosts import is_loopback

#: Seconds that a clock may be wrong: beyond the first events have wrong times, near the second AWS refuses requests
#: (it takes 300 s for Signature Version 4).
SKEW_TOLD_S = 5.0
SKEW_REFUSED_S = 240.0


def check_folder(settings: Settings, folder: Path) -> Finding:
    """Whether local state can be written. `folder`: what Faust makes of DATA_DIR."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        detail = f"{settings.data_dir} cannot be written: {error.strerror}"
        return Finding(
            "DATA_DIR", False, detail, "name another folder in DATA_DIR, or give the worker's user its right"
        )
    return Finding("DATA_DIR", True, f"{settings.data_dir} can be written")


def check_port(host: str, port: int) -> Finding:
    """Whether the web views can listen."""
    name = "WEB_PORT"
    try:
        probe(host, port)
    except OSError as error:
        fix = "fix WEB_HOST, or choose another WEB_PORT: each worker on a machine needs its own"
        return Finding(name, False, f"the web views cannot listen on {host}:{port}: {error.strerror}", fix)
    return Finding(name, True, f"{host}:{port} is free")


def check_web(settings: Settings) -> Finding:
    """Whether the web views are open to more than this machine."""
    name, where = "web views", settings.web_host or "every address"
    if settings.tokens:
        readers = ", ".join(one.name for one in settings.tokens)
        return Finding(name, True, f"on {where}; who has a token gets in: {readers}")
    if is_loopback(settings.web_host):
        return Finding(name, True, f"on {where}, for who is on this machine")
    fix = "set WEB_TOKEN or WEB_TOKENS, or WEB_HOST=127.0.0.1"
    return Finding(
        name, True, f"on {where} without a token: whoever reaches the port may pause, resume and redrive", fix
    )


def check_spans(settings: Settings) -> list[Finding]:
    """Whether spans can be made, where somebody is to receive them."""
    if settings.otel_exporter_otlp_endpoint is None:
        return []
    name = "spans"
    if find_spec("opentelemetry") is None:
        return [Finding(name, False, "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the SDK is not installed", INSTALL)]
    return [Finding(name, True, f"{settings.trace_sample:.0%} of the traces begun here are sampled")]


def check_clock(skews: Sequence[float]) -> list[Finding]:
    """How far this machine's clock is from those of the endpoints that told theirs; nobody told: no finding."""
    if not skews:
        return []
    ahead = -median(skews)
    off = f"{abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}" if abs(ahead) >= 1 else "right to the second"
    detail, fix = f"this machine's is {off}", "set this machine's clock by NTP"
    if abs(ahead) >= SKEW_REFUSED_S:
        return [Finding("clock", False, f"{detail}: AWS refuses what is signed 5 min off", fix)]
    return [Finding("clock", True, detail, fix if abs(ahead) >= SKEW_TOLD_S else "")]


def probe(host: str, port: int, addresses: Callable[..., Any] = socket.getaddrinfo) -> None:
    """Bind what the web server will bind: each address of the host that this machine has, and at least one."""
    bound, missing = 0, OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    for family, kind, _, _, address in addresses(host, port, type=socket.SOCK_STREAM):
        try:
            _bind(family, kind, address)
            bound += 1
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # `localhost` where IPv6 is off
                raise
    if not bound:
        raise missing


def _bind(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind(address)
