"""This module holds what a call to Genesys Cloud can end with, after waiting no longer helps.

GenesysError
├── CredentialsError         the login refuses the client; only a person can fix it
├── PermissionMissingError   403: the OAuth client's roles lack a permission; never tried again
└── GenesysRequestError      the request was refused as it stands: `status`, `code`

Throttling, 5xx and a lost network are no errors here: they are waited out (client.py). Texts hold neither
secrets nor tokens nor channel ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import httpx

_PERMISSION = re.compile(r"\b[a-zA-Z]\w*:(?:\w+|\*):(?:\w+|\*)")
_CHANNEL = re.compile(r"(/channels/)[^/?#\s\"']+|\bstreaming-\d+-[\w-]+")

#: Statuses of a path that a server does not have.
NOT_THERE = (404, 405, 410)

#: Headers by which a proxy tells what it is.
_WHO = ("server", "via")


class GenesysError(Exception):
    """Genesys Cloud refused, and asking again the same way cannot help."""


class CredentialsError(GenesysError):
    """The login refused the client; the text says how to fix it."""


class PermissionMissingError(GenesysError):
    """403. `permissions` as `domain:entity:action`; empty when the answer names none."""

    def __init__(self, what: str, permissions: Iterable[str], message: str = "") -> None:
        self.permissions = tuple(permissions)
        named = ", ".join(self.permissions) or f"none named ({message or 'no message'})"
        super().__init__(
            f"{what}: permission missing: {named}; give the OAuth client a role that holds it, "
            "in a division that holds the objects (Admin > Integrations > OAuth > Roles)"
        )


class GenesysRequestError(GenesysError):
    """A refusal by status: 400, 404, 409 and the like. `code` as in the error body (`not.found`)."""

    def __init__(self, what: str, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{what}: {status} {code}: {message}")


def without_channel(text: str) -> str:
    """The text with every channel id blotted out: who knows the id can listen."""
    return _CHANNEL.sub(lambda match: f"{match.group(1) or ''}***", text)


def refusal(what: str, response: httpx.Response) -> GenesysError:
    """The error that says what a refusing answer (4xx, read to its end) means.

    Genesys' ErrorBody is `{message, code, status, messageParams, details, errors, contextId}`; the login's is
    `{error, description | error_description}`.
    """
    body = json_object(response)
    code = text_of(body, "code", "error") or "unknown"
    message = without_channel(text_of(body, "message", "description", "error_description") or "no message")[:500]
    if response.status_code == 403:
        return PermissionMissingError(what, named_permissions(body), message)
    correlation = response.headers.get("inin-correlation-id")
    if correlation:
        message = f"{message} (correlation {correlation[:64]})"
    return GenesysRequestError(what, response.status_code, code, message)


def foreign_page(response: httpx.Response) -> str | None:
    """Who answered in Genesys' place, in words; None for an answer that may be its own.

    Genesys' errors are JSON objects, or empty. A redirect, a login page of a proxy (407, or 403 in HTML) and a page
    where data was asked for say nothing of the request: it never got there. Who has no such path may say so anyhow.
    """
    status, kind = response.status_code, response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_error = not response.is_success
    if status in NOT_THERE or not (
        status == 407
        or 300 <= status < 400
        or kind in ("text/html", "application/xhtml+xml")
        or (is_error and response.content.strip() and object_or_none(response) is None)
    ):
        return None
    who = ", ".join(f"{name}: {response.headers[name]}" for name in _WHO if name in response.headers)
    return (
        f"answers {status} with what is not from Genesys" + (f" ({who[:100]})" if who else "") + "; look at the proxy"
    )


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object, or an empty one: gateways also answer in HTML."""
    return object_or_none(response) or {}


def object_or_none(response: httpx.Response) -> dict[str, Any] | None:
    """The answer's JSON object; None where it is none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def text_of(body: dict[str, Any], *names: str) -> str:
    """The first of the named fields that is a text with something in it."""
    return next((value for name in names if isinstance(value := body.get(name), str) and value), "")


def named_permissions(body: dict[str, Any]) -> tuple[str, ...]:
    """Every `domain:entity:action` in an error body, once each, in order."""
    found: dict[str, None] = {}
    stack: list[Any] = [body]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, str):
            found.update(dict.fromkeys(_PERMISSION.findall(item)))
    return tuple(found)
