"""This module reads and writes the CBOR (RFC 8949) of the smithy-rpc-v2-cbor protocol."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_BREAK = object()


class CBORError(ValueError):
    """The bytes are not CBOR, or end too early."""


def decode(data: bytes) -> Any:
    """One value; a tag gives its content, so a timestamp (tag 1) is epoch seconds. Raises `CBORError`."""
    try:
        value, end = _Reader(data).value(0)
    except (IndexError, struct.error, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise CBORError(str(error)) from error
    if end != len(data) or value is _BREAK:
        raise CBORError("more or less than one value")
    return value


class _Reader:
    """Each method takes a position and gives a value and the position after it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def value(self, at: int) -> tuple[Any, int]:
        major, information = self._data[at] >> 5, self._data[at] & 31
        at += 1
        if major == 7:
            return self._simple(information, at)
        if information == 31:
            return self._indefinite(major, at)
        count, at = self._count(information, at)
        match major:
            case 0:
                return count, at
            case 1:
                return -1 - count, at
            case 2 | 3:
                return self._string(major, count, at)
            case 4:
                return self._array(count, at)
            case 5:
                return self._map(count, at)
        return self.value(at)

    def _count(self, information: int, at: int) -> tuple[int, int]:
        if information < 24:
            return information, at
        if information > 27:
            raise CBORError(f"reserved length {information}")
        size = 1 << (information - 24)
        return int.from_bytes(self._slice(at, size)), at + size

    def _slice(self, at: int, size: int) -> bytes:
        if at + size > len(self._data):
            raise CBORError("ends too early")
        return self._data[at : at + size]

    def _string(self, major: int, size: int, at: int) -> tuple[bytes | str, int]:
        raw = self._slice(at, size)
        return (raw if major == 2 else raw.decode()), at + size

    def _array(self, count: int, at: int) -> tuple[list[Any], int]:
        items = []
        for _ in range(count):
            item, at = self.value(at)
            items.append(item)
        return items, at

    def _map(self, count: int, at: int) -> tuple[dict[Any, Any], int]:
        items = {}
        for _ in range(count):
            key, at = self.value(at)
            items[key], at = self.value(at)
        return items, at

    def _indefinite(self, major: int, at: int) -> tuple[Any, int]:
        parts: list[Any] = []
        while (pair := self.value(at))[0] is not _BREAK:
            parts.append(pair[0])
            at = pair[1]
        match major:
            case 2:
                return b"".join(parts), pair[1]
            case 3:
                return "".join(parts), pair[1]
            case 4:
                return parts, pair[1]
            case 5 if len(parts) % 2 == 0:
                return dict(zip(parts[::2], parts[1::2], strict=True)), pair[1]
        raise CBORError("an indefinite length where there is none")

    def _simple(self, information: int, at: int) -> tuple[Any, int]:
        if information == 31:
            return _BREAK, at
        if form := _FLOATS.get(information):
            size = struct.calcsize(form)
            return struct.unpack(form, self._slice(at, size))[0], at + size
        if information not in _SIMPLE:
            raise CBORError(f"unknown simple value {information}")
        return _SIMPLE[information], at


def encode(value: object) -> bytes:
    """JSON-like values and bytes. Raises `TypeError` for others."""
    match value:
        case bool() | None:
            return bytes([0xE0 | {False: 20, True: 21, None: 22}[value]])
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float() if math.isfinite(value) and value == int(value) and abs(value) < 2**53:
            return encode(int(value))
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            raw = value.encode()
            return _head(3, len(raw)) + raw
        case Mapping():
            parts = (encode(key) + encode(item) for key, item in value.items())
            return _head(5, len(value)) + b"".join(parts)
        case Sequence():
            return _head(4, len(value)) + b"".join(map(encode, value))
    raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    for information, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << (8 * size):
            return bytes([major << 5 | information]) + count.to_bytes(size)
    raise TypeError(f"{count} has more than 64 bits")
