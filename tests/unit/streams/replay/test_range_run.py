"""Tests of the way through a range: where it stands is right whenever it ends, and why it ended is said."""

import asyncio
from types import SimpleNamespace

import pytest

from clients.kafka.ranges import Range
from streams.replay.pace import Pace
from streams.replay.range_run import ChunkDone, run_range


class Reader:
    """Gives these offsets of partition 1, a chunk each time."""

    def __init__(self, *chunks):
        self._chunks = chunks

    async def chunks(self, what, most):
        for offsets in self._chunks:
            yield [SimpleNamespace(partition=1, offset=offset) for offset in offsets]


async def run(what, *chunks, ends_at=None, stop=False):
    """What the run says, and what it told of meanwhile."""
    asked, moved = asyncio.Event(), []

    async def do(chunk):
        if stop:
            asked.set()
        return ChunkDone(len(chunk), ends_at)

    reason = await run_range(
        Reader(*chunks), what, Pace(None, asked), 10, do, moved.append, lambda: moved.append(dict(what.next))
    )
    return reason, moved


async def test_each_chunk_is_done_with_before_the_next_is_read():
    what = Range("raw", {1: 3}, {1: 9})
    assert await run(what, (3, 4), (7,)) == ("", [{1: 5}, 2, {1: 8}, 5, 6])


@pytest.mark.parametrize(
    ("end", "reason"),
    [({0: 9, 1: 5}, "stopped"), ({0: 2, 1: 8}, "stopped"), ({0: 2, 1: 5}, "")],
    ids=["another partition is open", "so is this one", "all was read"],
)
async def test_a_run_that_is_stopped_goes_on_behind_its_chunk(end, reason):
    what = Range("raw", {0: 2, 1: 3}, end)
    said, _ = await run(what, (3, 4), (5, 6), stop=True)
    assert (said, what.next) == (reason, {0: 2, 1: 5})


async def test_a_run_that_is_ended_goes_on_where_it_was():
    what = Range("raw", {1: 3}, {1: 9})
    assert (await run(what, (3, 4), (5, 6), ends_at=4))[0] == ""
    assert what.next == {1: 4}
