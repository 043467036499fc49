"""This module measures the process stage: routes in the worker's own loop against the mapping process.

`python -m bench.process [--batches N]` prints one JSON line. Both ways read the same bytes and send what
comes of them to the embedded broker; `ratio` is sandboxed over in-process, in events a second of wall time,
and `loop_us` the CPU microseconds that one event costs the worker's own process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from emulators.genesys.event_stream.events import generate
from emulators.kafka import EmbeddedKafka
from processors.routes.route import compile_route
from processors.routes.routes import Encoded, Raw, Routed, Routes, route_event
from settings import Settings
from streams.routes.folder import read_routes
from streams.routes.sandbox.mapping_process import SandboxPlan
from streams.routes.sandbox.sandbox import Sandbox

BATCH = 500
MAX_BYTES = 1_000_000

Apply = Callable[[Sequence[Raw]], Awaitable[list[Routed]]]


async def measure(
    apply: Apply, send: Callable[[Iterable[Routed]], Awaitable[None]], batches: list[list[Raw]]
) -> dict[str, float]:
    """Run the batches, one being mapped while the one before is sent; what `compare` tells of a way."""
    sending = asyncio.Lock()

    async def work(batch: list[Raw]) -> None:
        answers = await apply(batch)
        async with sending:
            await send(answers)

    events = sum(map(len, batches))
    began, used = time.perf_counter(), time.process_time()
    for first, second in zip(batches[::2], batches[1::2], strict=True):
        await asyncio.gather(work(first), work(second))
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return {"events_per_second": round(events / seconds), "loop_us": round(1e6 * cpu / events, 1)}


async def compare(batches: list[list[Raw]], bootstrap_servers: str, rounds: int) -> dict[str, Any]:
    """Both ways in turns, so that a busy machine is unfair to neither; the best round of each counts."""
    folder = Settings.model_fields["routes_dir"].default
    routes = Routes(compile_route(texts) for texts in read_routes(folder))
    plan = SandboxPlan(tuple(route.texts for route in routes), 1.0, 512 * 1024 * 1024, MAX_BYTES)
    sandbox = Sandbox(plan, lambda _: None)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, linger_ms=5, max_batch_size=262_144)
    await producer.start()

    async def send(answers: Iterable[Routed]) -> None:
        values = [one.value for found in answers for one in found.outcomes if isinstance(one, Encoded)]
        await asyncio.gather(*[await producer.send("bench", value) for value in values])

    ways: dict[str, Apply] = {"in_process": _in_process(routes), "sandboxed": sandbox.apply}
    best: dict[str, dict[str, float]] = {}
    try:
        await sandbox.start()
        for _ in range(rounds):
            for name, apply in ways.items():
                found = await measure(apply, send, batches)
                best[name] = max(best.get(name, found), found, key=lambda one: one["events_per_second"])
    finally:
        await sandbox.close()
        await producer.stop()
    ratio = best["sandboxed"]["events_per_second"] / best["in_process"]["events_per_second"]
    return {"bench": "process", **best, "ratio": round(ratio, 2)}


def _in_process(routes: Routes) -> Apply:
    async def apply(raws: Sequence[Raw]) -> list[Routed]:
        found = []
        for number, raw in enumerate(raws):
            found.append(route_event(routes, raw, MAX_BYTES, lambda _: None))
            if number % 25 == 24:  # as a stage must, so that the loop can do something else
                await asyncio.sleep(0)
        return found

    return apply


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description="Routes in the worker's loop against the mapping process.")
    parser.add_argument("--batches", type=int, default=20, help=f"batches of {BATCH} events, an even number")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")
    arguments = parser.parse_args()
    values = (Raw(orjson.dumps(made.event)) for made in generate())
    batches = [list(islice(values, BATCH)) for _ in range(arguments.batches)]
    with EmbeddedKafka() as kafka:
        print(json.dumps(asyncio.run(compare(batches, kafka.bootstrap_servers, arguments.rounds))))


if __name__ == "__main__":
    main()
