"""This module is what holds for every queue: its name, its limits, the attributes it has from the start."""

from __future__ import annotations

import re

from emulators.aws.errors import invalid_value

FIFO_SUFFIX = ".fifo"
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
MESSAGE_BYTES = 1_048_576
RETENTION_SECONDS = 345_600
VISIBILITY_SECONDS = 30

MESSAGES = range(1, 11)
VISIBILITY = range(0, 43_201)
WAIT = range(0, 21)
"""Of a ReceiveMessage: how many, and seconds."""

DELAY = range(0, 901)
"""Seconds that a message can be delayed."""

_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MESSAGE_BYTES),
    "MessageRetentionPeriod": str(RETENTION_SECONDS),
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": str(VISIBILITY_SECONDS),
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
KNOWN = frozenset((*_DEFAULTS, *_FIFO_DEFAULTS, *COUNTED, "All"))


def initial(name: str) -> dict[str, str]:
    """The attributes of a new queue of this name; raises `AWSError` for a name that SQS does not take."""
    if not NAME.fullmatch(name):
        raise invalid_value("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    return _DEFAULTS | (_FIFO_DEFAULTS if name.endswith(FIFO_SUFFIX) else {})


def whole(value: object, parameter: str, allowed: range) -> int:
    """A whole number that is within `allowed`; raises `AWSError`."""
    if isinstance(value, int) and value in allowed:
        return value
    raise invalid_value(
        f"Value {value} for parameter {parameter} is invalid. "
        f"Reason: Must be between {allowed.start} and {allowed.stop - 1}, if provided."
    )
