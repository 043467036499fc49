"""This module holds the kinds of value that settings of several families have."""

from __future__ import annotations

import re
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

#: A broker: host or host:port, an IPv6 address in brackets.
BROKER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _names(value: Any) -> Any:
    """A JSON array of names, or names with commas between."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            found = orjson.loads(value)
        except orjson.JSONDecodeError:
            return _split(value)  # such as `[DE] Sales`
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(one.strip() for one in found if one.strip())
    return _split(value)


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value


def _brokers(value: str) -> str:
    brokers = [part.strip() for part in value.split(",") if part.strip()]
    found = [BROKER.fullmatch(broker) for broker in brokers]
    if not brokers or not all(one and 1 <= int(one[1] or 9092) <= 65_535 for one in found):
        raise ValueError("must be host:port, or several with commas between (an IPv6 address in brackets, no scheme)")
    return ",".join(brokers)


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]

NameList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]

CommaSeconds = Annotated[tuple[float, ...], Field(min_length=1), NoDecode, BeforeValidator(_split)]

Brokers = Annotated[str, AfterValidator(_brokers)]

#: A URL as it stands; `URL`: one that paths are put behind.
WholeURL = Annotated[str, AfterValidator(_http_url)]

URL = Annotated[WholeURL, AfterValidator(lambda value: value.rstrip("/"))]
