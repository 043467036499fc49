"""This module reads whole numbers, which come as text from query clients."""

from __future__ import annotations

from emulators.aws.sqs.errors import invalid_value


def whole(value: object, parameter: str, allowed: range) -> int:
    """The number, when it is within `allowed`; raises `AWSError`."""
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise invalid_value(f"Value {value} for parameter {parameter} is invalid.") from error
    if number not in allowed:
        raise invalid_value(
            f"Value {value} for parameter {parameter} is invalid. "
            f"Reason: Must be between {allowed.start} and {allowed.stop - 1}, if provided."
        )
    return int(number)
