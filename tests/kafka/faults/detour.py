"""This module runs a worker whose connections to brokers go through other ports: `KAFKA_DETOUR`.

A broker tells its own address, so a proxy in front of it is passed by; here the connection itself is led
astray, and the worker is none the wiser. `KAFKA_DETOUR` is a JSON object: port of a broker → port of its proxy.
A clock of its own (tests/kafka/nemesis/clock.py) is the worker's alone; its child processes have the machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from streams.__main__ import main

VARIABLE = "KAFKA_DETOUR"

_create_connection = asyncio.BaseEventLoop.create_connection


def take(detours: dict[int, int]) -> None:
    """Lead every connection of this process to such a port to the other one."""

    async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        return await _create_connection(loop, factory, host, detours.get(port, port), **options)

    asyncio.BaseEventLoop.create_connection = create_connection  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    take({int(port): proxy for port, proxy in json.loads(os.environ[VARIABLE]).items()})
    main()
