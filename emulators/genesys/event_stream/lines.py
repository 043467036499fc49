"""This module turns events into the bytes of a JSON-lines stream, faults on request among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from emulators.faults import is_due
from emulators.genesys.event_stream.ledger import StreamEvent
from emulators.genesys.faults import Faults

GARBAGE: tuple[bytes, ...] = (
    b"<html>502 Bad Gateway</html>",
    b'{"id": "broken',
    b"nan, nil",
    b'{"a":1}{"b":2}',
)
HUGE_BYTES, DEPTH = 5_000_000, 2_000
"""Of a huge line, and how deep a line nests."""
INVALID_UTF8 = b'{"id":"\xff\xfe\xf0\x28\x8c\x28","resourceType":"interaction"}'
LARGEST_PIECE = 700
"""Bytes of the largest ragged chunk: small enough that most events are cut somewhere."""
MAX_PIECES = 200
"""About so many pieces at most, so that a huge line does not become tens of thousands of chunks."""


class Composer:
    """Counts the events of all connections, so that `…_every` spans a cut."""

    def __init__(self, seed: int) -> None:
        self.events = 0
        self._random = Random(seed)

    def compose(self, entries: Sequence[StreamEvent], faults: Faults) -> tuple[bytes, list[str]]:
        """Lines for these events, each ended by a newline, and the names of the faults put between them."""
        parts: list[bytes] = []
        injected: list[str] = []
        for group in _groups(entries, faults.array_size):
            parts.append(_line(group, faults.array_size))
            for _ in group:
                self.events += 1
                for name, data in self._due(faults):
                    parts.append(data)
                    injected.append(name)
        parts.append(b"")
        return b"\n".join(parts), injected

    def pieces(self, data: bytes, faults: Faults) -> Iterator[bytes]:
        """The HTTP chunks: one, or many that end anywhere, even inside a character."""
        if not faults.ragged_chunks:
            yield data
            return
        start, largest = 0, max(LARGEST_PIECE, len(data) // MAX_PIECES)
        while start < len(data):
            end = start + self._random.randint(1, largest)
            yield data[start:end]
            start = end

    def _due(self, faults: Faults) -> Iterator[tuple[str, bytes]]:
        if is_due(faults.garbage_every, self.events):
            yield "garbage", self._random.choice(GARBAGE)
        if is_due(faults.invalid_utf8_every, self.events):
            yield "invalid_utf8", INVALID_UTF8
        if is_due(faults.huge_line_every, self.events):
            yield "huge_line", huge_line(HUGE_BYTES)
        if is_due(faults.deep_nesting_every, self.events):
            yield "deep_nesting", deep_line(DEPTH)
        if is_due(faults.blank_every, self.events):
            yield "blank", b""


def huge_line(size: int) -> bytes:
    """One JSON object of exactly `size` bytes (at least the 28 of its frame)."""
    head, tail = b'{"resourceType":"padding","x":"', b'"}'
    return head + b"x" * max(0, size - len(head) - len(tail)) + tail


def deep_line(depth: int) -> bytes:
    """Valid JSON that nests `depth` deep."""
    return b'{"payload":' * depth + b"{}" + b"}" * depth


def _groups(entries: Sequence[StreamEvent], size: int) -> Iterable[Sequence[StreamEvent]]:
    step = max(1, size)
    return (entries[start : start + step] for start in range(0, len(entries), step))


def _line(group: Sequence[StreamEvent], array_size: int) -> bytes:
    if array_size:
        return b"[" + b",".join(entry.data for entry in group) + b"]"
    return group[0].data
