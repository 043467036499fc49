"""Tests of the inbox between the reading tasks and the consumer."""

import asyncio

import pytest

from clients.genesys.notifications.mailbox import Mailbox


async def test_items_come_in_order_and_no_more_wait_than_allowed():
    inbox = Mailbox(3)
    put = []

    async def producer():
        for number in range(100):
            await inbox.put(number)
            put.append(number)

    task = asyncio.create_task(producer())
    taken = []
    while len(taken) < 100:
        taken.append(await inbox.get())
        assert len(put) - len(taken) <= 4
    await task
    assert taken == list(range(100))


async def test_a_failure_comes_after_the_items():
    inbox = Mailbox(3)
    await inbox.put("last")
    inbox.fail(ValueError("ended"))
    assert await inbox.get() == "last"
    for _ in range(2):
        with pytest.raises(ValueError, match="ended"):
            await inbox.get()


async def test_a_failure_wakes_the_consumer():
    inbox = Mailbox(3)
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.fail(ValueError("ended"))
    with pytest.raises(ValueError, match="ended"):
        await waiting
