"""This module reads the parts of a metric datum, which come as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from emulators.aws.errors import AWSError, invalid_value, missing_parameter

LARGEST = 2.0**360
VALUES = 150
DIMENSIONS = 30
TEXT_LENGTH = 255
DIMENSION_VALUE_LENGTH = 1024
OLDEST_SECONDS = 14 * 86_400
NEWEST_SECONDS = 2 * 3_600
"""All from the API reference of PutMetricData and MetricDatum."""


def missing(place: str) -> AWSError:
    return missing_parameter(f"The parameter {place} is required.")


def exclusive(first: str, second: str) -> AWSError:
    return AWSError(
        "InvalidParameterCombinationException",
        f"The parameters {first} and {second} are mutually exclusive and you have specified both.",
        query_code="InvalidParameterCombination",
    )


def number(value: object, place: str) -> float:
    """A finite number within 2^360 on either side of zero."""
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid_value(f"The value {value} for parameter {place} is invalid.") from error
    if not math.isfinite(result) or abs(result) > LARGEST:
        raise invalid_value(f"The value {value} for parameter {place} is invalid.")
    return result


def numbers(values: object, place: str) -> tuple[float, ...]:
    """1 to 150 of them."""
    if not isinstance(values, list):
        raise invalid_value(f"The value of parameter {place} is not a list.")
    if not 1 <= len(values) <= VALUES:
        raise invalid_value(f"The collection {place} must not be empty or have a size greater than {VALUES}.")
    return tuple(number(value, f"{place}.member.{position}") for position, value in enumerate(values, start=1))


def text(value: object, place: str, longest: int = TEXT_LENGTH) -> str:
    """1 to `longest` ASCII characters, none of them control characters, not all of them blank."""
    if value is None or value == "":
        raise missing(place)
    if not isinstance(value, str) or len(value) > longest:
        raise invalid_value(f"The value of parameter {place} is not text of 1 to {longest} characters.")
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise invalid_value(f"The value of parameter {place} has characters that are not printable ASCII.")
    return value


def dimensions(values: object, place: str) -> dict[str, str]:
    """At most 30 pairs; a name must not start with a colon."""
    if not isinstance(values, list):
        raise invalid_value(f"The value of parameter {place} is not a list.")
    if len(values) > DIMENSIONS:
        raise invalid_value(f"The collection {place} must not have a size greater than {DIMENSIONS}.")
    pairs: dict[str, str] = {}
    for position, pair in enumerate(values, start=1):
        here = f"{place}.member.{position}"
        if not isinstance(pair, Mapping):
            raise invalid_value(f"The value of parameter {here} is not a structure.")
        name = text(pair.get("Name"), f"{here}.Name")
        if name.startswith(":"):
            raise invalid_value(f"The value {name} for parameter {here}.Name is invalid.")
        pairs[name] = text(pair.get("Value"), f"{here}.Value", DIMENSION_VALUE_LENGTH)
    return pairs


def timestamp(value: Any, now: float, place: str) -> float:
    """Epoch seconds, at most two weeks old and two hours ahead; without a value it is now."""
    if value is None:
        return now
    try:
        seconds = _seconds(value)
    except (TypeError, ValueError) as error:
        raise invalid_value(f"The value {value} for parameter {place} is invalid.") from error
    if not now - OLDEST_SECONDS <= seconds <= now + NEWEST_SECONDS:
        raise invalid_value(f"The parameter {place} must specify a time within the past two weeks.")
    return seconds


def _seconds(value: Any) -> float:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
