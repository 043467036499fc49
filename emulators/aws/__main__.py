"""This module runs the emulator as a process: prints one JSON line when it serves, ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from emulators.aws.calls import SERVICES
from emulators.aws.emulator import ACCOUNT, REGION, AWSEmulator
from emulators.aws.events.put_events import BYTES
from emulators.aws.faults import SHORTHANDS, Faults, parse_faults, shorthand
from emulators.faults import FaultError


def main() -> None:
    """`python -m emulators.aws --port 4566 --bus orders --queue failures --throttle 0.1`"""
    parser = _parser()
    options = parser.parse_args()
    try:
        faults = _faults(options)
    except FaultError as error:
        parser.error(str(error))
    asyncio.run(_serve(options, faults))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators.aws", description="An emulated AWS.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--bus", action="append", default=[], help="may be given several times")
    parser.add_argument("--custom-bus", action="append", default=[], help="a custom event bus, with its FIFO groups")
    parser.add_argument("--queue", action="append", default=[], help="a name that ends with .fifo makes it FIFO")
    parser.add_argument("--limit-bytes", type=int, default=BYTES, help="of the entries of a PutEvents request")
    parser.add_argument("--account", default=ACCOUNT)
    parser.add_argument("--region", default=REGION)
    faults = parser.add_argument_group("faults, as shares between 0 and 1")
    for name, rule in SHORTHANDS.items():
        faults.add_argument(f"--{name.replace('_', '-')}", type=float, default=0, help=_help(rule))
    faults.add_argument("--latency-ms", type=float, default=0, help="added to every answer")
    faults.add_argument("--fault-service", choices=SERVICES, default="events", help="that the shares are for")
    faults.add_argument("--seed", type=int, default=1)
    faults.add_argument("--faults", help="JSON rules, name=share,name=share, or demo; beside the shares")
    return parser


def _help(rule: dict[str, str]) -> str:
    return f"entries that get {rule['code']}" if "code" in rule else f"requests that get: {rule['kind']}"


def _faults(options: argparse.Namespace) -> Faults:
    shares = {name: getattr(options, name) for name in (*SHORTHANDS, "latency_ms")}
    asked = shorthand(shares, options.fault_service, options.seed)
    if not options.faults:
        return asked
    more = parse_faults(options.faults)
    return Faults(seed=options.seed, entries=asked.entries + more.entries, requests=asked.requests + more.requests)


async def _serve(options: argparse.Namespace, faults: Faults) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    emulator = AWSEmulator(
        options.host,
        options.port,
        faults=faults,
        buses=options.bus,
        queues=options.queue,
        limit_bytes=options.limit_bytes,
        account=options.account,
        region=options.region,
    )
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
