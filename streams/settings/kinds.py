"""This module holds the kinds of value that settings of several families have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]

CommaSeconds = Annotated[tuple[float, ...], Field(min_length=1), NoDecode, BeforeValidator(_split)]

URL = Annotated[str, AfterValidator(_http_url)]
