"""This module knows who may ask: the token of a request, and that which a worker or a command sends along."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from settings.web import WebToken


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `name` stands in the record of what he does."""

    name: str
    may_act: bool
    #: Whether he showed a token, or none is asked for.
    is_known: bool


#: Where a request keeps who asks.
CALLER = web.RequestKey("caller", Caller)

#: Who asks where no token is set.
ANYBODY = Caller("somebody at the dashboard", may_act=True, is_known=False)

#: Who showed none, where one is asked for.
STRANGER = Caller("a stranger", may_act=False, is_known=False)


def caller(authorization: str, tokens: Sequence[WebToken]) -> Caller:
    """Who sent this header. Every token is compared, in a time that tells nothing of it."""
    if not tokens:
        return ANYBODY
    given = _given(authorization)
    matching = [
        one
        for one in tokens
        for secret in [one.secret.get_secret_value().encode("utf-8", "surrogateescape")]
        if hmac.compare_digest(given, secret) | hmac.compare_digest(given.strip(), secret)
    ]
    return Caller(matching[0].name, matching[0].may_act, True) if given and matching else STRANGER


def _given(authorization: str) -> bytes:
    """The token in a header: Bearer, or Basic, which a browser asks a person for (any name, the token as password)."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(rest, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def own_authorization(tokens: Sequence[WebToken], name: str = "worker") -> str | None:
    """The header by which a worker asks another of its group, or a command a worker: the token that may most.

    Basic, as it takes a token of any characters.
    """
    best = next((one for one in tokens if one.may_act), tokens[0] if tokens else None)
    if best is None:
        return None
    secret = best.secret.get_secret_value().encode("utf-8", "surrogateescape")
    return "Basic " + base64.b64encode(name.encode() + b":" + secret).decode()
