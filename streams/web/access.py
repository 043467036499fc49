"""This module knows who may ask: the token of a request, and that which a worker sends to another."""

from __future__ import annotations

import base64

from pydantic import SecretStr


def own_authorization(token: SecretStr | None) -> str | None:
    """The header by which this worker asks another of its group; Basic takes a token of any characters."""
    if token is None:
        return None
    return "Basic " + base64.b64encode(b"worker:" + token.get_secret_value().encode()).decode()
