"""This module is a message of SQS, and what SQS accepts as one."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.aws.sqs.errors import invalid_value, missing, plain

ATTRIBUTES = 10
IDENTIFIER_LENGTH = 128
_FORBIDDEN = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IDENTIFIER = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws\.|amazon\.))[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")

Attributes = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Message:
    """`visible_at` is epoch seconds; a message in flight or delayed has it in the future."""

    number: int
    message_id: str
    body: str
    sent_ms: int
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    group: str | None = None
    deduplication: str | None = None
    sequence: str | None = None
    sender: str = ""
    visible_at: float = 0.0
    receives: int = 0
    first_received_ms: int = 0
    in_flight: bool = False
    deleted: bool = False

    @property
    def body_md5(self) -> str:
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()

    def system_attributes(self) -> dict[str, str]:
        """What ReceiveMessage can tell about it, all as text."""
        known = {
            "SenderId": self.sender,
            "SentTimestamp": str(self.sent_ms),
            "ApproximateReceiveCount": str(self.receives),
            "ApproximateFirstReceiveTimestamp": str(self.first_received_ms),
            "MessageGroupId": self.group,
            "MessageDeduplicationId": self.deduplication,
            "SequenceNumber": self.sequence,
        }
        return {name: value for name, value in known.items() if value is not None}


def size(body: str, attributes: Attributes) -> int:
    """Bytes that count against the limits: the body, and name, type and value of each attribute."""
    total = len(body.encode())
    for name, value in attributes.items():
        total += len(name.encode()) + len(str(value.get("DataType", "")).encode()) + len(_raw(value))
    return total


def check(body: object, attributes: object, longest: int) -> tuple[str, dict[str, dict[str, Any]]]:
    """Body and attributes of a message that may be stored; raises `AWSError`."""
    if body is None or body == "":
        raise missing("MessageBody")
    if not isinstance(body, str):
        raise invalid_value("The message body is not text.")
    if found := _FORBIDDEN.search(body):
        raise plain(
            "InvalidMessageContents",
            f"Invalid character '#x{ord(found[0]):X}' was found in the message body, the set of allowed "
            "characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )
    kept = check_attributes(attributes or {})
    if size(body, kept) > longest:
        raise invalid_value(
            f"One or more parameters are invalid. Reason: Message must be shorter than {longest} bytes."
        )
    return body, kept


def check_attributes(attributes: object) -> dict[str, dict[str, Any]]:
    """At most ten, each with a legal name, a type and a value of that type; raises `AWSError`."""
    if not isinstance(attributes, dict) or len(attributes) > ATTRIBUTES:
        raise invalid_value(f"Number of message attributes exceeds the allowed maximum [{ATTRIBUTES}].")
    for name, value in attributes.items():
        if not _ATTRIBUTE_NAME.fullmatch(name) or len(name) > 256:
            raise invalid_value(f"Message attribute name '{name}' is invalid.")
        kind = str(value.get("DataType") or "").partition(".")[0] if isinstance(value, dict) else ""
        if kind not in ("String", "Number", "Binary"):
            raise invalid_value(f"The message attribute '{name}' has an invalid message attribute type.")
        if not value.get("BinaryValue" if kind == "Binary" else "StringValue"):
            raise invalid_value(f"The message attribute '{name}' must contain a non-empty value of its type.")
        if kind == "Number" and not _is_number(value["StringValue"]):
            raise invalid_value(f"Can't cast the value of message attribute '{name}' to a number.")
    return dict(attributes)


def check_identifier(value: object, parameter: str) -> str:
    """A group or deduplication id: 1 to 128 of letters, digits and punctuation; raises `AWSError`."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise invalid_value(
            f"Value {value} for parameter {parameter} is invalid. Reason: {parameter} can only include "
            f"alphanumeric and punctuation characters. 1 to {IDENTIFIER_LENGTH} in length."
        )
    return value


def attributes_md5(attributes: Attributes) -> str | None:
    """The digest of the SQS developer guide ("Calculating the MD5 message digest for message attributes")."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name, value in sorted(attributes.items()):
        binary = value["DataType"].startswith("Binary")
        for part in (name.encode(), value["DataType"].encode()):
            digest.update(len(part).to_bytes(4) + part)
        raw = _raw(value)
        digest.update((b"\x02" if binary else b"\x01") + len(raw).to_bytes(4) + raw)
    return digest.hexdigest()


def _raw(value: Mapping[str, Any]) -> bytes:
    if (encoded := value.get("BinaryValue")) is None:
        return str(value.get("StringValue", "")).encode()
    try:
        return b64decode(encoded, validate=True)
    except (ValueError, TypeError) as error:
        raise invalid_value("A binary message attribute is not base64.") from error


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
