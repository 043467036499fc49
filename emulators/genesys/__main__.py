"""This module runs the emulator as a process: prints one JSON line when it serves, ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from emulators.faults import FaultError, from_json
from emulators.genesys.emulator import GenesysEmulator
from emulators.genesys.faults import Faults


def main() -> None:
    """`python -m emulators.genesys --port 0 --rate 50 --count 500 --faults '{"cut_every_events": 100}'`"""
    asyncio.run(_serve(_parser().parse_args()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.genesys", description="An emulated Genesys Cloud.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--rate", type=float, default=50.0, help="events per second, 0 = as fast as they are read")
    parser.add_argument("--count", type=int, help="end production after so many events")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=_faults, default=Faults(), help="JSON, as PUT /_emulator/faults takes it")
    parser.add_argument("--api-limit", type=int, default=300, help="requests a minute for each token")
    parser.add_argument("--conversation-rate", type=float, help="new conversations a second (default: rate / 10)")
    parser.add_argument("--pace", type=float, default=1.0, help="stretches the durations of conversations")
    parser.add_argument("--heartbeat-seconds", type=float, default=30.0)
    parser.add_argument("--event-queue", help="URL of an SQS queue that gets the detail events")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with GenesysEmulator(**vars(options)) as genesys:
        ready = {"url": genesys.url, "clientId": genesys.client_id, "clientSecret": genesys.client_secret}
        print(json.dumps(ready), flush=True)
        await stopped.wait()


def _faults(text: str) -> Faults:
    try:
        return from_json(text.encode(), Faults)
    except FaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    main()
