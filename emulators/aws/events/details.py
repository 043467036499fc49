"""This module judges the Detail of an event entry as PutEvents does."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

LEVELS = 1000
"""PutEvents processes nested JSON up to 1000 levels deep (EventBridge API reference, PutEvents)."""
LARGEST = 2**63
"""The constraint on integer numbers, from the same page."""

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def is_sound(detail: str) -> bool:
    """Whether it is a JSON object, not nested too deep, with integers of 64 bits."""
    if detail.count("{") + detail.count("[") > LEVELS and depth(detail) > LEVELS:
        return False
    try:
        value = orjson.loads(detail)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(value, dict):
        return False
    return not _has_large_number(value) or _integers_fit(detail)


def depth(text: str) -> int:
    """How deep the brackets outside of strings go; the text need not be JSON."""
    level = deepest = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        if mark in "{[":
            level += 1
            deepest = max(deepest, level)
        elif mark in "}]":
            level -= 1
    return deepest


def _has_large_number(value: dict[str, Any]) -> bool:
    """Whether a number is large enough to be an integer of more than 64 bits (which orjson makes a float)."""
    below: list[Any] = [value]
    while below:
        branch = below.pop()
        for item in branch.values() if branch.__class__ is dict else branch:
            kind = item.__class__
            if kind is dict or kind is list:
                below.append(item)
            elif (kind is int or kind is float) and not -LARGEST < item < LARGEST:
                return True
    return False


def _integers_fit(detail: str) -> bool:
    def check(digits: str) -> int:
        if len(digits) > 20 or not -LARGEST <= int(digits) < LARGEST:
            raise OverflowError(digits)
        return int(digits)

    try:
        json.loads(detail, parse_int=check, parse_constant=_no_constant)
    except (OverflowError, ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
