"""This module keeps what redrives brought back: notes in a compacted topic, read whole by the next redrive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from clients.kafka import cluster
from clients.kafka.admin import create_topic
from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds, RangeError
from clients.kafka.writer import Outgoing, Writer
from processors.event.headers import AGAIN
from processors.replay.redrive_notes import Note, Notes
from settings import Settings
from streams.replay.run_name import run_name
from streams.topology import REDRIVEN, REDRIVEN_CONFIGS, replicas_of

#: How often, and seconds after which, brokers are asked for a topic that was made just now: not all know it at once.
MADE_LOOKS, MADE_LOOK_S = 20, 0.5


class RedriveNotes:
    """What was brought back before, and the writing down of what is now. Made by `open_notes`.

    Without a writer (a rehearsal) nothing is noted. `again`: earlier notes count for nothing.
    """

    def __init__(self, topic: str, notes: Notes, writer: Writer | None, *, again: bool = False) -> None:
        self.notes = Notes() if again else notes
        self._topic = topic
        self._writer = writer

    async def note(self, notes: Sequence[Note]) -> str | None:
        """Write notes down; why that failed, or None."""
        if self._writer is None or not notes:
            return None
        results = await self._writer.write([Outgoing(self._topic, one.key, one.encode(), ()) for one in notes])
        return next((f"what was redriven last is not noted: {reason}" for reason in results if reason), None)


def run_of(again: bool) -> str:
    """A name for a redrive: it says whether what was brought back before is wanted once more."""
    return run_name(AGAIN if again else "redrive")


def written_topics(settings: Settings, known: Mapping[str, int]) -> list[str]:
    """The topics that a redrive writes to, as far as they are there."""
    return [name for name in map(settings.topic, ("raw", "validated", REDRIVEN)) if name in known]


@asynccontextmanager
async def open_notes(
    settings: Settings, known: Mapping[str, int], writer: Writer | None, *, again: bool = False
) -> AsyncIterator[RedriveNotes]:
    """Read all notes; with a writer the topic is made where it is missing. Raises RangeError."""
    topic = settings.topic(REDRIVEN)
    if topic not in known and writer is not None:
        known = await _made(settings, topic)
    yield RedriveNotes(topic, await _read(settings, known), writer, again=again)


class NoteReader:
    """All notes, kept by who asks often: each look reads what was written since the last one alone."""

    def __init__(self, settings: Settings) -> None:
        self.notes = Notes()
        self._settings = settings
        self._next: dict[int, int] = {}

    async def update(self, known: Mapping[str, int]) -> None:
        """Read what is new; `known` as clients/kafka/range_reader.py:partition_counts gives it. Raises RangeError."""
        topic = self._settings.topic(REDRIVEN)
        if topic not in known:
            return
        async with open_reader(self._settings, topic, known) as reader:
            what = await reader.range(RangeBounds())
            if any(what.end[partition] < at for partition, at in self._next.items() if partition in what.end):
                self.notes, self._next = Notes(), {}  # somebody has deleted the topic and made it anew
            for partition, first in what.next.items():
                what.next[partition] = min(max(first, self._next.get(partition, 0)), what.end[partition])
            async with contextlib.aclosing(reader.chunks(what)) as chunks:
                async for chunk in chunks:
                    read = (Note.decode(record.value) for record in chunk)
                    self.notes.add(note for note in read if note is not None)
                    self._next[chunk[0].partition] = chunk[-1].offset + 1


async def _read(settings: Settings, known: Mapping[str, int]) -> Notes:
    book = NoteReader(settings)
    await book.update(known)
    return book.notes


async def _made(settings: Settings, topic: str) -> Mapping[str, int]:
    """Make the topic, or let brokers make it that do so on first use. One partition: it is read whole each time."""
    try:
        if settings.kafka_create_topics:
            replicas = replicas_of(settings, (await cluster.describe(settings)).brokers)
            await create_topic(settings, topic, 1, replicas, REDRIVEN_CONFIGS)
    except KafkaError as error:
        raise RangeError(
            f"topic {topic}, which notes what was redriven, cannot be created: {error} "
            "(create it with cleanup.policy=compact, or allow Create on it)"
        ) from error
    for _ in range(MADE_LOOKS if settings.kafka_create_topics else 1):
        if topic in (known := await partition_counts(settings, touch=(topic,))):
            return known
        await asyncio.sleep(MADE_LOOK_S)
    raise RangeError(f"there is no topic {topic}: create it with cleanup.policy=compact, or KAFKA_CREATE_TOPICS=true")
