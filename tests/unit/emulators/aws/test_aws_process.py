"""This module runs the emulator as a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx
import pytest

ARGUMENTS = [
    *("--bus", "orders", "--queue", "failures", "--queue", "failures.fifo"),
    *("--throttle", "0.1", "--drop-connections", "0.02", "--latency-ms", "3", "--seed", "7"),
    *("--faults", '{"entries": [{"contains": "poison", "code": "MalformedDetail"}]}'),
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
    assert [(rule["code"], rule["share"]) for rule in faults["entries"]] == [
        ("ThrottlingException", 0.1),
        ("MalformedDetail", 1.0),
    ]
    assert [(rule["kind"], rule["share"]) for rule in faults["requests"]] == [("drop", 0.02), ("slow", 1.0)]
    assert faults["seed"] == 7


@pytest.mark.parametrize("arguments", [("--faults", "nonsense=1"), ("--throttle", "2")])
async def test_a_wrong_fault_ends_it_with_a_word(arguments):
    process = await start(*arguments)
    _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"error:" in complaints
