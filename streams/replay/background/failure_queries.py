"""This module answers what a page asks of the failures topic: lists, and one record whole, masked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from clients.kafka.range_reader import open_reader, partition_counts
from processors.event.errors import MalformedEventError
from processors.event.formats import iso
from processors.event.strict_json import JsonObject, parse
from processors.replay.masking import masked_record
from processors.replay.redrive import RedriveTargets, Unrecoverable, redrive_of
from processors.replay.selection import FailureSelection
from processors.replay.tally import Tallies
from settings import Settings
from streams.replay.background.background_loop import BackgroundLoop
from streams.replay.background.failure_scan import FailureScan, FailureState, row_of, scan_failures
from streams.replay.failure import Failure, from_record
from streams.replay.failure_list import listed
from streams.replay.redriving.notes import NoteReader
from streams.replay.redriving.originals import open_originals

#: Looks at once; a third one waits for its turn.
AT_ONCE = 2


class FailureQueries:
    """Reads beside the worker's own work (streams/replay/background/background_loop.py)."""

    def __init__(self, settings: Settings, loop: BackgroundLoop) -> None:
        self._settings, self._loop = settings, loop
        self._named = RedriveTargets(
            settings.topic("raw"), settings.topic("validated"), settings.kafka_max_message_bytes
        )
        self._book = NoteReader(settings)
        self._reading = asyncio.Lock()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def list(self, selection: FailureSelection, state: FailureState, limit: int) -> JsonObject:
        """Clusters and the newest records (streams/replay/background/failure_scan.py). Raises RangeError."""
        async with self._turns:
            return await self._loop.run(lambda: self._list(selection, state, limit))

    async def one(self, partition: int, offset: int) -> JsonObject | None:
        """One record whole, and its place; None when the topic does not have it. Raises RangeError."""
        async with self._turns:
            return await self._loop.run(lambda: self._one(partition, offset))

    async def _list(self, selection: FailureSelection, state: FailureState, limit: int) -> JsonObject:
        known = await partition_counts(self._settings)
        topic = self._settings.topic("failures")
        if topic not in known:  # brokers that make topics on first use: nothing has failed yet
            return FailureScan(Tallies.of(selection.span, 0)).as_json(state, limit)
        await self._read_notes(known)
        async with open_reader(self._settings, topic, known) as reader:
            found = await scan_failures(reader, selection, self._book, self._named, state=state, limit=limit)
        shown = found.as_json(state, limit)
        return {**shown, "failures": [self._masked_row(row) for row in shown["failures"]]}

    async def _one(self, partition: int, offset: int) -> JsonObject | None:
        known = await partition_counts(self._settings)
        topic = self._settings.topic("failures")
        if partition >= known.get(topic, 0):
            return None
        await self._read_notes(known)
        async with open_reader(self._settings, topic, known) as reader:
            begin, end = await reader.ends(partition)
            found = await reader.one(partition, offset)
        if found is None:
            return None
        failure = from_record(found)
        one = listed(failure, self._book.notes, self._named)
        record, is_whole = await self._completed(failure, known)
        return {
            **row_of(one),
            "topic": topic,
            "begin": begin,
            "end": end,
            "redriven": None if one.note is None else {"run": one.note.run, "at": iso(one.note.at_ms)},
            "record": None if record is None else masked_record(record, self._settings.redact_fields),
            "fromRaw": not is_whole,
        }

    async def _completed(self, failure: Failure, known: Mapping[str, int]) -> tuple[JsonObject | None, bool]:
        """The record, with its event from `raw` where it holds that no more; and whether it holds it itself."""
        record = failure.record
        if record is None:
            return None, True
        built = redrive_of(record, failure.meta, failure.key, "", self._named)
        if not isinstance(built, Unrecoverable):
            return record, True
        async with open_originals(self._settings, known) as originals:
            found = await originals.find(built)
        if found is None or not found.value:
            return record, True
        try:
            return {**record, "originalEvent": parse(found.value)}, False
        except MalformedEventError:
            return record, True

    async def _read_notes(self, known: Mapping[str, int]) -> None:
        async with self._reading:
            await self._book.update(known)

    def _masked_row(self, row: JsonObject) -> JsonObject:
        """A message may repeat values of the event; only the record knows which."""
        return {**row, "message": None} if self._settings.redact_fields else row
