"""Tests that chunks which are there at once are read as one, and that nothing of them is lost."""

from __future__ import annotations

import asyncio

import pytest

from clients.genesys.subscription import BURST_BYTES, bursts


async def stream(*script: object):
    """Chunks; a number is a pause of so many turns of the loop, an error ends it."""
    for step in script:
        if isinstance(step, int):
            for _ in range(step):
                await asyncio.sleep(0)
        elif isinstance(step, Exception):
            raise step
        else:
            yield step


async def read(chunks) -> list[bytes]:
    return [burst async for burst in bursts(chunks)]


async def test_what_is_there_at_once_is_one_burst():
    assert await read(stream(b"a", b"b", b"c")) == [b"abc"]


async def test_what_is_not_there_yet_is_not_waited_for():
    assert await read(stream(b"a", b"b", 20, b"c", 20, b"d", b"e")) == [b"ab", b"c", b"de"]


async def test_a_burst_is_bounded():
    half = b"x" * (BURST_BYTES // 2)
    assert [len(burst) for burst in await read(stream(*[half] * 5))] == [BURST_BYTES, BURST_BYTES, BURST_BYTES // 2]


async def test_an_error_comes_after_what_arrived_before_it():
    reading = bursts(stream(b"a", b"b", OSError("cut")))
    assert await anext(reading) == b"ab"
    with pytest.raises(OSError, match="cut"):
        await anext(reading)


async def test_an_empty_stream_has_no_bursts():
    assert await read(stream()) == []


async def test_ending_the_reading_ends_the_read_under_way():
    never = asyncio.Event()
    ended = asyncio.Event()

    async def silent():
        yield b"a"
        try:
            await never.wait()
        finally:
            ended.set()

    reading = bursts(silent())
    assert await anext(reading) == b"a"
    await reading.aclose()
    assert ended.is_set()
