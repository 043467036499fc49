"""This module looks events up where they stood first, for failure records that do not hold them whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import Reader, open_reader
from processors.replay.redrive import Unrecoverable
from settings import Settings


class Originals:
    """Looks events up in `raw`, by where they stood. Made by `open_originals`."""

    def __init__(self, raw: str, reader: Reader | None) -> None:
        self._raw = raw
        self._reader = reader

    async def find(self, gone: Unrecoverable) -> ConsumerRecord | None:
        """The record that the failure came from; None when the topic does not hold it any more."""
        if self._reader is None or gone.origin is None or gone.origin.topic != self._raw:
            return None
        return await self._reader.one(gone.origin.partition, gone.origin.offset)


@asynccontextmanager
async def open_originals(settings: Settings, known: Mapping[str, int]) -> AsyncIterator[Originals]:
    """A look into `raw`, if there is such a topic. Raises RangeError."""
    raw = settings.topic("raw")
    if raw not in known:
        yield Originals(raw, None)
        return
    async with open_reader(settings, raw, known) as reader:
        yield Originals(raw, reader)
