"""This module is the errors of SQS: the shape that JSON clients match, and the older query code beside it."""

from __future__ import annotations

from emulators.aws.errors import AWSError, missing_parameter

_PREFIX = "AWS.SimpleQueueService."

_MESSAGES = {
    "BatchEntryIdsNotDistinct": "Two or more batch entries in the request have the same Id.",
    "InvalidBatchEntryId": "A batch entry id can only contain alphanumeric characters, hyphens and "
    "underscores. It can be at most 80 letters long.",
    "EmptyBatchRequest": "The batch request doesn't contain any entries.",
    "TooManyEntriesInBatchRequest": "Maximum number of entries per request are 10.",
    "BatchRequestTooLong": "Batch requests cannot be longer than 1048576 bytes.",
    "MessageNotInflight": "The message is not in flight.",
}


def named(shape: str, message: str | None = None) -> AWSError:
    """An error whose query code is the shape's name behind the service's prefix."""
    return AWSError(shape, message or _MESSAGES[shape], query_code=_PREFIX + shape)


def queue_does_not_exist() -> AWSError:
    return AWSError("QueueDoesNotExist", "The specified queue does not exist.", query_code=f"{_PREFIX}NonExistentQueue")


def plain(shape: str, message: str) -> AWSError:
    """An error that has one name in both protocols."""
    return AWSError(shape, message, query_code=shape)


def missing(parameter: str) -> AWSError:
    return missing_parameter(f"The request must contain the parameter {parameter}.")
