"""This module writes down which offsets above a committed one are settled, short enough for the commit's metadata.

A commit tells one offset, below which all is settled. What is settled above it would come again after a crash; so it
stands beside the offset, as ranges: how many are open, how many are settled, and so on from the committed one. When
there are too many to fit, the ranges next to the committed offset are kept: what is behind them comes again.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator

from processors.delivery.offset_ranges import OffsetRange

#: What a broker takes by default (`offset.metadata.max.bytes`).
MAX_BYTES = 4_096

_MARK = "settled1"


class UnreadableNoteError(ValueError):
    """The text is no note of this module, or not of this committed offset."""


def ranges(offsets: Iterable[int], known: Iterable[OffsetRange] = ()) -> list[OffsetRange]:
    """Single offsets, and ranges of others, as ranges that neither touch nor overlap, in order."""
    merged: list[OffsetRange] = []
    for start, end in sorted([*((offset, offset + 1) for offset in offsets), *known]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif end > start:
            merged.append((start, end))
    return merged


def encode_note(committed: int, settled: Iterable[OffsetRange], max_bytes: int = MAX_BYTES) -> str:
    """The note of ranges above `committed`, as `ranges` gives them; empty when there are none, or no room for any."""
    head = f"{_MARK}:{committed}:"
    room = (max_bytes - len(head) - len("00000000:")) // 4 * 3
    packed, position = bytearray(), committed
    for start, end in settled:
        part = _varint(start - position) + _varint(end - start)
        if len(packed) + len(part) > room:
            break
        packed += part
        position = end
    if not packed:
        return ""
    body = head.encode() + packed
    return f"{head}{zlib.crc32(body):08x}:{base64.b64encode(packed).decode('ascii')}"


def decode_note(note: str, committed: int) -> list[OffsetRange]:
    """The ranges in a note that was committed with this offset. Raises UnreadableNoteError."""
    if not note:
        return []
    try:
        mark, offset, checksum, text = note.split(":")
        packed = base64.b64decode(text, validate=True)
        is_ours = mark == _MARK and zlib.crc32(f"{mark}:{offset}:".encode() + packed) == int(checksum, 16)
    except (ValueError, binascii.Error) as error:
        raise UnreadableNoteError("it is no note of settled offsets") from error
    if not is_ours or offset != str(committed):
        raise UnreadableNoteError("it is damaged, or of another offset")
    numbers = list(_numbers(packed))
    found, position = [], committed
    for gap, length in zip(numbers[::2], numbers[1::2], strict=False):
        found.append((position + gap, position + gap + length))
        position += gap + length
    return found


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow."""
    packed = bytearray()
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield number
            number = shift = 0
