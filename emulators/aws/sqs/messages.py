"""This module is a message of SQS, and what SQS accepts as one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from emulators.aws.errors import invalid_value
from emulators.aws.sqs.attributes import MESSAGE_BYTES
from emulators.aws.sqs.errors import missing, plain

IDENTIFIER_LENGTH = 128
_FORBIDDEN = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IDENTIFIER = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


@dataclass(slots=True)
class Message:
    """`visible_at` is epoch seconds; a message in flight has it in the future."""

    number: int
    message_id: str
    body: str
    sent_ms: int
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


def check_body(body: object) -> str:
    """The body of a message that may be stored; raises `AWSError`."""
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
    if len(body.encode()) > MESSAGE_BYTES:
        raise invalid_value(
            f"One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_BYTES} bytes."
        )
    return body


def check_identifier(value: object, parameter: str) -> str:
    """A group or deduplication id: 1 to 128 of letters, digits and punctuation; raises `AWSError`."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise invalid_value(
            f"Value {value} for parameter {parameter} is invalid. Reason: {parameter} can only include "
            f"alphanumeric and punctuation characters. 1 to {IDENTIFIER_LENGTH} in length."
        )
    return value
