"""This module reads JSON strictly: within a depth, and with integers that AWS takes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from processors.event.errors import MalformedEventError

JsonObject = dict[str, Any]

#: orjson writes at most 254 levels; what is read must also fit, wrapped, into a failure record.
MAX_DEPTH = 200

INT64 = range(-(2**63), 2**63)

#: Every digit as a nought: so a run of digits is found at a tenth of what a regular expression takes.
_NOUGHTS = bytes.maketrans(b"123456789", b"000000000")

_BRACKETS = re.compile(rb"[\[\]{}]")

#: Possessive, and an unended string runs to the end: so no input takes more than one pass.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def parse_object(value: bytes) -> JsonObject:
    """Read bytes as one JSON object. Raises MalformedEventError."""
    body = parse(value)
    if not isinstance(body, dict):
        raise MalformedEventError(f"expected a JSON object, got {json_type(body)}", code="NotAnObject")
    return body


def object_or_empty(value: bytes | None) -> JsonObject:
    """Read bytes that anybody may have written: empty for what is no JSON object."""
    try:
        return parse_object(value or b"")
    except MalformedEventError:
        return {}


def parse(value: bytes) -> Any:
    """Read bytes as any JSON value within the limits.

    Raises MalformedEventError, and MemoryError for want of memory, which orjson gives as a fault of the JSON.
    """
    _check_depth(value)
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("Not enough memory"):
            raise MemoryError(error.msg) from None
        raise MalformedEventError(f"not JSON: {error}", code="MalformedJSON") from None
    if has_digits(value, 19):
        _check_integers(value)
    return body


def json_type(value: Any) -> str:
    """The JSON name of a value's type, for messages."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def same_json(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: true is not 1, as it is in Python, and 1.0 is 1."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same_json(value, right[name]) for name, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same_json, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def has_foreign_number(value: Any) -> bool:
    """Whether a value holds an integer beyond int64, where PutEvents ends, or an infinity or NaN."""
    return any(
        not math.isfinite(number) if isinstance(number, float) else number not in INT64 for number in numbers(value)
    )


#: Integers up to here are doubles without loss; JSONata has no others.
EXACT = 2**53

#: A number beyond `EXACT` has at least so many digits.
LONG_INTEGER = 16


def big_integers(value: Any) -> dict[float, int]:
    """The integers of a value that may lose digits as doubles, by that double; of two with the same one, none."""
    found: dict[float, int] = {}
    lost = set()
    for number in numbers(value):
        if isinstance(number, int) and abs(number) >= EXACT and found.setdefault(float(number), number) != number:
            lost.add(float(number))
    return {double: number for double, number in found.items() if double not in lost}


def with_digits(value: Any, integers: Mapping[float, int]) -> Any:
    """The value with every number that is one of these doubles as the integer it was."""
    if isinstance(value, dict):
        return {name: with_digits(item, integers) for name, item in value.items()}
    if isinstance(value, list):
        return [with_digits(item, integers) for item in value]
    if isinstance(value, int | float) and abs(value) >= EXACT:
        return integers.get(float(value), value)
    return value


#: How a whole float ends that orjson has written; a text may look like it.
_WHOLE = re.compile(rb"\.0[,}\]]")


def may_hold_whole_floats(written: bytes) -> bool:
    """Whether a whole float may stand in what orjson wrote."""
    return b".0" in written and _WHOLE.search(written) is not None


def with_whole_numbers(value: Any) -> Any:
    """The value with each float that is an integer as one."""
    if isinstance(value, dict):
        return {name: with_whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**63 else value


def numbers(value: Any) -> Iterator[int | float]:
    """Every number in a JSON value."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield item


def has_digits(value: bytes, number: int) -> bool:
    """Whether so many digits stand in a row, in a number or elsewhere."""
    return b"0" * number in value.translate(_NOUGHTS)


def _check_depth(value: bytes) -> None:
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(_STRINGS.sub(b"", value)):
        depth += 1 if match[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedEventError(f"nested deeper than {MAX_DEPTH} levels", code="NestedTooDeep")


def _check_integers(value: bytes) -> None:
    # orjson turns an integer beyond 64 bits into a float without a word; the standard library keeps it.
    if has_foreign_number(json.loads(value)):
        raise MalformedEventError("holds an integer beyond int64", code="NumberOutOfRange")
