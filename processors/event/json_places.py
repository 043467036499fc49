"""This module finds where in a JSON text the value of a path stands, for people who edit it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import orjson

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*+"|[^\s,\]}]+')


def syntax_error(text: str) -> tuple[int, str] | None:
    """The character at which `text` stops being JSON, and why; None when it is JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return min(error.pos, len(text)), error.msg
    return None


def offset_of(text: str, path: Sequence[str]) -> int | None:
    """The character at which the value of a path begins; the nearest one around it when there is none.

    `text` is JSON, nested no deeper than the project reads (processors/event/strict_json.py).
    """
    at = _skip(text, 0)
    for step in path:
        found = _member(text, at, step)
        if found is None:
            return at
        at = found
    return at


def _member(text: str, at: int, step: str) -> int | None:
    """Where the value of a field, or of an index, of the object or array at `at` begins."""
    if at >= len(text) or text[at] not in "{[":
        return None
    is_object, at, index = text[at] == "{", _skip(text, at + 1), 0
    while at < len(text) and text[at] not in "]}":
        name = str(index)
        if is_object:
            key = _SCALAR.match(text, at)
            if key is None:
                return None
            name = str(json.loads(key[0]))
            at = _skip(text, _skip(text, key.end()) + 1)
        if name == step:
            return at
        at = _skip(text, _end(text, at))
        if at < len(text) and text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return None


def _end(text: str, at: int) -> int:
    """Where the value that begins at `at` ends."""
    depth = 0
    while at < len(text):
        if text[at] in "{[":
            depth, at = depth + 1, at + 1
        elif text[at] in "]}":
            depth, at = depth - 1, at + 1
        elif text[at] in ",: \t\r\n":
            at += 1
            continue
        else:
            scalar = _SCALAR.match(text, at)
            at = scalar.end() if scalar else len(text)
        if depth == 0:
            break
    return at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
