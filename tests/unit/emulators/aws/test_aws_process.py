"""This module runs the emulator as a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx
import pytest

ARGUMENTS = [
    *("--bus", "orders", "--queue", "failures", "--queue", "failures.fifo"),
    *("--faults", '{"entries": [{"contains": "poison", "code": "MalformedDetail"}], "seed": 7}'),
]


async def start(*arguments):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulators.aws", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_tells_its_url_has_its_faults_and_ends_on_sigterm():
    process = await start(*ARGUMENTS)
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        async with httpx.AsyncClient() as client:
            faults = (await client.get(f"{ready['url']}/_emulator/faults")).json()
    finally:
        process.terminate()
        _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")
    assert ready["buses"] == ["default", "orders"]
    assert ready["queues"]["failures.fifo"] == f"{ready['url']}/123456789012/failures.fifo"
    assert [(rule["code"], rule["contains"]) for rule in faults["entries"]] == [("MalformedDetail", "poison")]
    assert (faults["requests"], faults["seed"]) == ([], 7)


@pytest.mark.parametrize("arguments", [("--faults", "nonsense=1"), ("--faults", '{"seed": "x"}')])
async def test_a_wrong_fault_ends_it_with_a_word(arguments):
    process = await start(*arguments)
    _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"error:" in complaints
