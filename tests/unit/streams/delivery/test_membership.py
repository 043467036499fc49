"""Tests of what is held back while a worker may have heirs."""

import asyncio

import pytest

from streams.delivery.buffer import Batch
from streams.delivery.membership import Membership


class Group:
    """What a worker knows of its group."""

    def __init__(self):
        self.certain, self.generation = True, 1
        self.flowing = asyncio.Event()
        self.flowing.set()


@pytest.fixture
def group():
    return Group()


@pytest.fixture
def membership(group):
    made = Membership(lambda: group.certain, lambda: group.generation, group.flowing.wait)
    made.look_s = 0.0
    return made


async def test_a_member_sends_at_once(membership):
    assert await membership.may_send(Batch(1))


async def test_after_a_standstill_a_batch_waits_for_the_next_answer(membership, group):
    group.certain = False
    sending = asyncio.create_task(membership.may_send(Batch(1)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not sending.done()
    group.certain = True
    assert await sending


async def test_a_batch_of_an_earlier_generation_is_not_sent(membership):
    assert not await membership.may_send(Batch(0))


async def test_what_waits_when_a_rebalance_begins_is_left(membership, group):
    group.certain, batch = False, Batch(1)
    sending = asyncio.create_task(membership.may_send(batch))
    await asyncio.sleep(0)
    batch.leave()
    assert not await sending


async def test_nothing_is_published_while_heirs_are_possible_or_counts_are_not_taken(membership, group):
    group.certain = False
    group.flowing.clear()
    publishing = asyncio.create_task(membership.may_publish())
    for let in (group.flowing.set, lambda: setattr(group, "certain", True)):
        for _ in range(10):
            await asyncio.sleep(0)
        assert not publishing.done()
        let()
    await publishing
