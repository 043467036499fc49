"""This module runs the emulator as a process: prints one JSON line when it serves, ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from emulators.aws.emulator import AWSEmulator
from emulators.aws.faults import Faults
from emulators.faults import FaultError, from_json


def main() -> None:
    """`python -m emulators.aws --port 4566 --bus orders --faults '{"requests": [{"kind": "drop"}]}'`"""
    parser = argparse.ArgumentParser(prog="python -m emulators.aws", description="An emulated AWS.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--bus", action="append", default=[], help="may be given several times")
    parser.add_argument("--custom-bus", action="append", default=[], help="a custom event bus, with its FIFO groups")
    parser.add_argument("--queue", action="append", default=[], help="a name that ends with .fifo makes it FIFO")
    parser.add_argument("--faults", default="{}", help="JSON, as PUT /_emulator/faults takes it")
    options = parser.parse_args()
    try:
        faults = from_json(options.faults.encode(), Faults)
    except FaultError as error:
        parser.error(str(error))
    asyncio.run(_serve(options, faults))


async def _serve(options: argparse.Namespace, faults: Faults) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    emulator = AWSEmulator(options.host, options.port, faults=faults, buses=options.bus, queues=options.queue)
    async with emulator as aws:
        announced = {
            "url": aws.url,
            "buses": aws.state.buses.names,
            "customBuses": {name: aws.state.custom_buses.add(name).arn for name in options.custom_bus},
            "queues": {queue.name: aws.state.queues.url(queue) for queue in aws.state.queues},
        }
        print(json.dumps(announced), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main()
