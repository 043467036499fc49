"""This module knows by which names the web views may be asked.

A page of another site can have its own name lead to this machine's address (DNS rebinding), and then reads what the
views answer as if it were its own. What betrays it is the name in the header Host.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from settings.web import WebSettings

#: Addresses that mean every one of a machine's.
EVERY = ("", "0.0.0.0", "::")


class Hosts:
    """Loopback, the given names, and whatever address a connection was made to."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = {_plain(name) for name in names} - set(EVERY)

    @classmethod
    def of(cls, settings: WebSettings) -> Hosts:
        """Those that a worker with these settings answers to."""
        advertised = urlsplit(settings.web_url).hostname or ""
        return cls([settings.web_host, advertised, *settings.web_allowed_hosts])

    def allows(self, header: str | None, address: str | None) -> bool:
        """Whether a request with this header Host, over a connection to this address of ours, may be answered.

        One without the header comes from no browser.
        """
        if header is None:
            return True
        name = _name(header)
        if name is None:
            return False
        return name in self._names or is_loopback(name) or _same(name, address)


def is_loopback(name: str) -> bool:
    """Whether a host is this machine alone."""
    found = _address(name)
    return found.is_loopback if found is not None else _plain(name) == "localhost"


def _name(header: str) -> str | None:
    """The host in a header, without its port; None when it is none."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    whole = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return _plain(parts.hostname) if whole and parts.hostname else None


def _plain(name: str) -> str:
    return name.strip().lower().rstrip(".").strip("[]")


def _same(name: str, address: str | None) -> bool:
    found = _address(name)
    return found is not None and address is not None and found == _address(address.partition("%")[0])


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(_plain(name))
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
