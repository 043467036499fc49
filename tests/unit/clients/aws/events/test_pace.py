"""Tests that requests go at their pace, whoever asks."""

import asyncio

import pytest

from clients.aws.events import pace
from clients.aws.events.pace import paced


class Clock:
    """The loop's time, which only sleeping moves."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(pace.asyncio, "sleep", self.sleep)

    async def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
async def clock(monkeypatch):
    return Clock(monkeypatch)


async def test_no_more_than_the_rate_are_sent_in_any_second(clock):
    sent = []

    async def send(what):
        sent.append(clock.now)
        return what

    put = paced(send, 4.0)
    assert [await put([number]) for number in range(9)] == [[number] for number in range(9)]
    assert sent == [100.0 + 0.25 * number for number in range(9)]
    clock.now += 60
    await put([9])
    await put([10])
    assert sent[-2:] == [clock.now - 0.25, clock.now], "a pause saves up no requests"


async def test_without_a_rate_nothing_stands_between():
    async def send(what):
        return what

    assert paced(send, None) is send
