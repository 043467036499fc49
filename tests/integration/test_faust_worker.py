"""This module runs `faust -A streams.app worker`: it starts, refuses and logs as `genesys-eventbridge worker` does."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys

import pytest

from emulators.genesys.emulator import GenesysEmulator
from tests.kafka.broker import free_ports


@pytest.fixture
def faust_worker(env, launch):
    """Start Faust's own command; `more` goes into the environment."""

    async def starter(**more):
        command = (sys.executable, "-m", "faust", "-A", "streams.app", "worker", "-l", "info")
        environment = {**env, "WEB_PORT": str(free_ports(1)[0]), **more}
        return await launch(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)

    return starter


async def test_a_start_that_must_fail_is_the_same_one_line(faust_worker):
    process = await faust_worker(GENESYS_SOURCE="stream")
    async with asyncio.timeout(60):
        _, err = await process.communicate()

    assert process.returncode == 2
    assert err.decode().splitlines()[-1].startswith("genesys-eventbridge: GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET")


async def test_a_port_that_is_taken_ends_the_start(faust_worker):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await faust_worker(WEB_PORT=str(port))
        async with asyncio.timeout(60):
            _, err = await process.communicate()

    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in err.decode().splitlines()[-1]


async def test_a_stop_for_a_reason_has_its_exit_code(faust_worker):
    async with GenesysEmulator(client_id="client", client_secret="right") as genesys, asyncio.timeout(60):
        process = await faust_worker(
            WORKER_ROLES="source",
            GENESYS_SOURCE="stream",
            GENESYS_BASE_URL=genesys.url,
            GENESYS_CLIENT_ID="client",
            GENESYS_CLIENT_SECRET="wrong",
        )
        _, err = await process.communicate()

    assert process.returncode == 2
    assert "genesys-eventbridge: Genesys Cloud refuses to serve events: " in err.decode()


async def test_it_logs_as_our_own_command_does(faust_worker):
    process = await faust_worker(WORKER_ROLES="process", REPORT_INTERVAL="1")
    logged = []
    async with asyncio.timeout(60):
        while not any("[Pipeline Report]" in record["event"] for record in logged):
            line = (await process.stderr.readline()).decode()
            assert line, "it ended"
            if line.startswith("{") or logged:  # Faust's own set-up holds until ours is made
                logged.append(json.loads(line))
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
