"""This module tests what asks a command to stop."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from streams.commands.terminal.stoppable import stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_first_signal_asks_for_a_stop(number):
    before = signal.signal(number, signal.SIG_DFL)  # a shell that starts something beside itself has it ignore SIGINT
    try:
        with stoppable() as stop:
            os.kill(os.getpid(), number)
            async with asyncio.timeout(30):
                await stop.wait()
    finally:
        signal.signal(number, before)


async def test_nohup_has_its_way():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(30):
                await stop.wait()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
