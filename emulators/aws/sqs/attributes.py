"""This module is the attributes of a queue: which there are, their ranges, their defaults."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from emulators.aws.sqs.errors import invalid_value, plain

FIFO_SUFFIX = ".fifo"
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
MESSAGE_BYTES = 1_048_576

RANGES = {
    "DelaySeconds": range(0, 901),
    "MaximumMessageSize": range(1_024, MESSAGE_BYTES + 1),
    "MessageRetentionPeriod": range(60, 1_209_601),
    "ReceiveMessageWaitTimeSeconds": range(0, 21),
    "VisibilityTimeout": range(0, 43_201),
    "KmsDataKeyReusePeriodSeconds": range(60, 86_401),
}
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MESSAGE_BYTES),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_CHOICES = {
    "ContentBasedDeduplication": ("true", "false"),
    "FifoQueue": ("true",),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_FREE = ("KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy")
COMPUTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
KNOWN = frozenset((*RANGES, *_CHOICES, *_FREE, *COMPUTED, "All"))


def initial(name: str, asked: Mapping[str, str]) -> dict[str, str]:
    """All attributes of a new queue of this name; raises `AWSError`."""
    if not NAME.fullmatch(name):
        raise invalid_value("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    is_fifo = name.endswith(FIFO_SUFFIX)
    if is_fifo != (asked.get("FifoQueue") == "true"):
        raise invalid_value("The name of a FIFO queue can only end with .fifo, and FifoQueue must be true for it.")
    return _DEFAULTS | (_FIFO_DEFAULTS if is_fifo else {}) | checked(asked, is_fifo=is_fifo)


def checked(asked: Mapping[str, str], *, is_fifo: bool) -> dict[str, str]:
    """The attributes as text; raises `AWSError` for an unknown name or a value out of range."""
    for name, value in asked.items():
        unsettable = name not in KNOWN or name in COMPUTED or name == "All"
        if unsettable or (name in _FIFO_DEFAULTS and not is_fifo):
            raise plain("InvalidAttributeName", f"Unknown Attribute {name}.")
        if not _is_valid(name, str(value)):
            raise plain("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    return {name: str(value) for name, value in asked.items()}


def _is_valid(name: str, value: str) -> bool:
    if allowed := RANGES.get(name):
        return value.isdigit() and int(value) in allowed
    if name in _CHOICES:
        return value in _CHOICES[name]
    return name != "RedrivePolicy" or redrive(value) is not None


def redrive(policy: str) -> tuple[str, int] | None:
    """ARN of the dead-letter queue and how often a message may be received; None when it is not a policy."""
    try:
        value = json.loads(policy)
        arn, times = value["deadLetterTargetArn"], int(value["maxReceiveCount"])
    except (ValueError, TypeError, KeyError):
        return None
    return (arn, times) if isinstance(arn, str) and 1 <= times <= 1_000 else None
