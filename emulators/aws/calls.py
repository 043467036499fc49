"""This module is one call of an AWS operation, freed of the protocol it came by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Service = Literal["events", "eventsv2", "sqs", "monitoring", "schemas"]
SERVICES: tuple[Service, ...] = ("events", "eventsv2", "sqs", "monitoring", "schemas")

Answer = Mapping[str, Any]


class Protocol(StrEnum):
    """The wire protocols that botocore speaks to these services, by the content type that each answers with."""

    JSON_1_0 = "application/x-amz-json-1.0"
    JSON_1_1 = "application/x-amz-json-1.1"
    REST_JSON = "application/json"
    QUERY = "text/xml"
    CBOR = "application/cbor"


@dataclass(frozen=True, slots=True)
class Call:
    """`access_key` and `region` come from the signature and are empty when the request is not signed."""

    service: Service
    operation: str
    parameters: dict[str, Any]
    protocol: Protocol
    access_key: str = ""
    region: str = ""


Handler = Callable[[Call], Awaitable[Answer]]
