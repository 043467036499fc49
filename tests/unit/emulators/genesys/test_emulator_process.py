"""This module tests the emulator as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import httpx

COMMAND = (sys.executable, "-m", "emulators.genesys", "--port", "0")


async def test_process_says_where_it_serves_and_ends_on_sigterm() -> None:
    options = ("--count", "5", "--faults", '{"cut_every_events": 2, "half_line": true}')
    process = await asyncio.create_subprocess_exec(*COMMAND, *options, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        ready = json.loads(await process.stdout.readline())
        async with httpx.AsyncClient(base_url=ready["url"]) as client:
            assert (await client.get("/_emulator/")).json()["count"] == 5
            assert (await client.get("/_emulator/faults")).json()["half_line"] is True
            auth = (ready["clientId"], ready["clientSecret"])
            form = {"grant_type": "client_credentials"}
            assert (await client.post("/oauth/token", auth=auth, data=form)).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_process_refuses_faults_that_it_does_not_know() -> None:
    process = await asyncio.create_subprocess_exec(*COMMAND, "--faults", '{"bogus": 1}', stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"bogus" in errors
