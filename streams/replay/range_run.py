"""This module goes through a range of a topic for those who do something with it: chunk after chunk, until it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import Range
from streams.replay.pace import Pace

#: Hears how many offsets of the range are done with.
OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """What came of a chunk: `events` were meant. `ends_at`: the run ends with it, and a later one goes on there."""

    events: int
    ends_at: int | None = None


def _nothing() -> None:
    """Nobody wants to hear."""


async def run_range(
    reader: Reader,
    what: Range,
    pace: Pace,
    most: int,
    do: Callable[[Sequence[ConsumerRecord]], Awaitable[ChunkDone]],
    on_progress: OnProgress,
    on_done: Callable[[], None] = _nothing,
) -> str:
    """Have every chunk of at most so many records done by `do`, until it ends the run or somebody asks to stop.

    Gives why it stopped; nothing when the range was read whole, or `do` has ended it. `what.next` is right at any time,
    and `on_done` hears when it has moved. Raises RangeError.
    """
    async for chunk in reader.chunks(what, pace.chunk(most)):
        done = await do(chunk)
        what.next[chunk[0].partition] = chunk[-1].offset + 1 if done.ends_at is None else done.ends_at
        on_done()
        on_progress(what.size - what.left)
        if done.ends_at is not None:
            return ""
        await pace.after(done.events)
        if pace.is_stopped:
            return "stopped" if what.open else ""
    on_progress(what.size)
    return ""
