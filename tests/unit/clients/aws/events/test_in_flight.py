"""Tests of how many requests are under way: more while all goes well, half when it is too much, within bounds."""

import asyncio
import itertools

import pytest

from clients.aws.events.in_flight import LEAST, START, InFlight


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


async def hold(slots, number):
    """Take all slots that there are, at most so many; gives how many that were."""
    taken = 0
    while taken < number:
        waiting = asyncio.create_task(slots.acquire())
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            break
        taken += 1
    return taken


async def round_of(slots):
    """As many requests as there may be, each answered well."""
    number = await hold(slots, 100)
    for _ in range(number):
        slots.went_well()
    for _ in range(number):
        slots.release()
    return number


async def test_it_grows_by_one_a_round_up_to_its_bound(clock):
    slots = InFlight(11, clock)
    rounds = [await round_of(slots) for _ in range(12)]
    assert (rounds[0], rounds[-1]) == (START, 11)
    assert all(later - earlier in (0, 1) for earlier, later in itertools.pairwise(rounds))


async def test_it_does_not_grow_where_there_is_no_need():
    slots = InFlight(32)
    await slots.acquire()
    for _ in range(100):
        slots.went_well()
    assert slots.limit == START


async def test_it_is_halved_once_for_a_round_of_requests(clock):
    slots = InFlight(32, clock)
    clock.now = 10.0
    for _ in range(8):
        slots.was_too_much(0.02)
        clock.now += 0.001
    assert slots.limit == START // 2
    clock.now += 0.05
    slots.was_too_much(0.02)
    assert slots.limit == LEAST
    clock.now += 0.05
    slots.was_too_much(0.02)
    assert slots.limit == LEAST


async def test_a_bound_below_all_of_that_holds():
    slots = InFlight(1)
    slots.was_too_much(0.02)
    slots.went_well()
    assert slots.limit == 1


async def test_who_waits_gets_slots_in_turn():
    slots, order = InFlight(1), []

    async def one(name):
        async with slots:
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(name) for name in "abcd"))
    assert order == list("abcd")


async def test_who_is_cancelled_while_it_waits_keeps_nobody_out():
    slots = InFlight(1)
    await slots.acquire()
    first, second = (asyncio.create_task(slots.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    slots.release()  # the first has the slot, and does not know it yet
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(60):
        await second


async def test_what_is_halved_while_all_are_taken_waits_until_so_many_are_free(clock):
    slots = InFlight(8, clock)
    assert await hold(slots, 8) == 8
    slots.was_too_much(0.0)
    for _ in range(4):
        slots.release()
    assert await hold(slots, 1) == 0
    slots.release()
    assert await hold(slots, 2) == 1
