"""This module cuts a byte stream into lines, wherever the network cut it, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

from processors.event.strict_json import JsonObject

#: How much of a line that is too long is kept, to recognise it by.
PREFIX_BYTES = 2_048


@dataclass(frozen=True, slots=True)
class OversizedLine:
    """A line over the limit: its first bytes and its whole size in bytes, without the line end."""

    prefix: bytes
    size: int


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A line that its source has parsed: its bytes, the event in them, and the event's id."""

    value: bytes
    event: JsonObject
    event_id: str


Line = bytes | OversizedLine

#: What a source gives.
SourceLine = Line | ParsedLine


class LineSplitter:
    r"""Incremental splitter at `\n`; a `\r` before it belongs to the line end, blank lines are dropped.

    It never holds more than `max_line_bytes` + 1 bytes between two calls: the rest of a longer line is only
    counted. How the bytes are cut into chunks makes no difference to the lines.
    """

    def __init__(self, max_line_bytes: int, prefix_bytes: int = PREFIX_BYTES) -> None:
        self._limit = max_line_bytes
        self._prefix_bytes = min(prefix_bytes, max_line_bytes)
        self._held = bytearray()  # the unfinished line; only its prefix once it is too long
        self._size = 0  # of the unfinished line, `\r` included
        self._last = b""  # its last byte, which may turn out to belong to the line end

    @property
    def pending(self) -> int:
        """Bytes of the line that has not ended yet."""
        return self._size

    def feed(self, chunk: bytes) -> list[Line]:
        """Take the next bytes; give the lines that they complete, in order."""
        *ended, rest = chunk.split(b"\n")
        lines: list[Line] = []
        for piece in ended:
            line = self._whole(piece)
            if line is not None:
                lines.append(line)
        if rest:
            self._hold(rest)
        return lines

    def close(self) -> list[Line]:
        """Give the last line when it has no line end, and begin anew."""
        line = self._whole(b"")
        return [] if line is None else [line]

    def discard(self) -> int:
        """Forget the unfinished line; give the number of bytes it had."""
        size = self._size
        self._begin()
        return size

    def _whole(self, piece: bytes) -> Line | None:
        if self._size:
            self._hold(piece)
            size, last, piece = self._size, self._last, bytes(self._held)
            self._begin()
        else:
            size, last = len(piece), piece[-1:]
        if last == b"\r":
            size -= 1
        if size > self._limit:
            return OversizedLine(piece[: self._prefix_bytes], size)
        line = piece[:size]
        return line if line and not line.isspace() else None

    def _hold(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        self._last = piece[-1:]
        if self._size <= self._limit + 1:  # one more than the limit may still be a `\r`
            self._held += piece
            return
        room = self._prefix_bytes - len(self._held)
        if room > 0:
            self._held += piece[:room]
        del self._held[self._prefix_bytes :]

    def _begin(self) -> None:
        self._held, self._size, self._last = bytearray(), 0, b""
