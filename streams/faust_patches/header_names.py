"""This module reads records whose header names are not UTF-8, over which aiokafka 0.14.0 ends the consumer for ever.

Kafka takes any bytes there (KIP-82). Such a batch and what follows it is read once more, by aiokafka's reader in
Python, with what is no text replaced; what was given before is not given again.
"""

from __future__ import annotations

from typing import Any, Self

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

_next = PartitionRecords.__next__


class KeptRecords(MemoryRecords):  # type: ignore[misc]  # the compiled reader or the one in Python
    """A partition's part of a fetch, as aiokafka reads it, with its bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class LenientText(bytearray):
    """Bytes whose slices are text whatever they are."""

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        return LenientText(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final for type checkers alone
    """A batch whose header names may be any bytes."""

    def __iter__(self) -> Self:
        super().__iter__()  # uncompresses
        self._buffer: bytearray = LenientText(self._buffer)
        return self


class LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]  # final for type checkers alone
    """The same bytes once more, from the batch that holds the offset `start`."""

    _pos: int
    _next_slice: Any

    def __init__(self, data: bytes, start: int) -> None:
        super().__init__(data)
        # A batch that is left out record by record sets the fetcher back to its end, and the next one comes twice.
        self._seek(start)

    def _seek(self, start: int) -> None:
        while True:
            position, part, batch = self._pos, self._next_slice, super().next_batch()
            if batch is None or batch.next_offset > start:
                self._pos, self._next_slice = position, part
                return

    def next_batch(self) -> Any:
        """The next batch; older formats know no headers."""
        data = self._next_slice
        batch: Any = super().next_batch()
        return LenientBatch(data) if data is not None and data[self.MAGIC_OFFSET] >= 2 else batch


def next_record(self: Any) -> Any:
    """The next record of a fetch; replaces `PartitionRecords.__next__`."""
    try:
        return _next(self)
    except UnicodeDecodeError:
        if isinstance(self._records, LenientRecords):
            raise
        self._records = LenientRecords(self._records.data, self.next_fetch_offset)
        self._records_iterator = self._unpack_records()  # leaves out what of a batch is before `next_fetch_offset`
        return _next(self)
