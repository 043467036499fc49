"""This module tests the loop beside the worker's own."""

import asyncio
import threading
import time

import pytest

from streams.replay.background.background_loop import BackgroundLoop


@pytest.fixture
async def side():
    side = BackgroundLoop("side")
    yield side
    await side.close()


async def test_what_is_slow_there_does_not_hold_up_what_is_here(side):
    begun, go_on = threading.Event(), threading.Event()

    async def slow():
        begun.set()
        go_on.wait(30)
        return threading.current_thread().name

    task = asyncio.create_task(side.run(slow))
    assert await asyncio.to_thread(begun.wait, 30)  # this loop turns all the while
    assert not task.done()
    go_on.set()
    assert await task == "side"


async def test_an_error_comes_to_who_asked(side):
    async def broken():
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await side.run(broken)


async def test_who_asks_no_more_ends_the_work(side):
    begun, ended = threading.Event(), threading.Event()

    async def endless():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(side.run(endless))
    assert await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 30)


async def test_the_end_waits_for_what_runs_and_leaves_no_thread(side):
    done = []

    async def work():
        await asyncio.sleep(0.01)
        done.append(time.monotonic())

    future = side.begin(work)
    await side.close()
    assert future.done()
    assert done
    assert "side" not in [thread.name for thread in threading.enumerate()]


async def test_a_loop_that_nobody_used_has_nothing_to_end():
    await BackgroundLoop("unused").close()
