"""This module measures whole workers between a real Kafka and a lean EventBridge: `python -m bench.pipeline`.

The events stand in `raw` before the workers start; what is measured begins when a tenth of them is through, and ends
with nine tenths: events a second, and CPU by the kernel's accounting, of each worker's own process and its mapping
process. With `--rate`, events are written at that rate instead, and how long each took is told. One JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import orjson
import psutil
from confluent_kafka import Producer

from tests.kafka import administration, ledger
from tests.kafka.cluster import KafkaCluster
from tests.kafka.pipeline import Pipeline, Worker

#: Of a hundred events, so many are published; the next few fail their schema, the others are filtered.
PUBLISHED, FAILED = 58, 2


@dataclass(frozen=True, slots=True)
class Load:
    """What goes through: how many events of how many bytes, on how many partitions, tried on how many routes."""

    events: int
    size: int
    partitions: int
    workers: int
    rate: float


def event(number: int, size: int, sent_at: int | None = None) -> bytes:
    """One event of about so many bytes; `sent_at` (epoch ms) comes back with the entry."""
    kind = number * 37 % 100
    payload: dict[str, Any] = {
        "type": "voice" if sent_at is None else f'sentAt":{sent_at}',
        "priority": "high" if kind < PUBLISHED + FAILED else "normal",
        "routing": {"queue": {"name": "Support"}},
    }
    if PUBLISHED <= kind < PUBLISHED + FAILED:
        del payload["priority"]
        payload["routing"]["queue"]["name"] = "Priority Support"
    made = ledger.event(number) | {"payload": payload}
    return orjson.dumps(made | {"notes": "x" * max(0, size - len(orjson.dumps(made)) - 11)})


def published(number: int) -> int:
    """How many of the first `number` events are published."""
    whole, rest = divmod(number, 100)
    return whole * PUBLISHED + sum(one * 37 % 100 < PUBLISHED for one in range(rest))


class Bus:
    """The lean EventBridge, in a process of its own."""

    def __init__(self, stack: ExitStack, latency_ms: float) -> None:
        command = [sys.executable, "-m", "bench.lean_bus", "--latency-ms", str(latency_ms)]
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
        stack.callback(process.kill)
        assert process.stdout is not None  # opened as a pipe
        self.url = str(json.loads(process.stdout.readline())["url"])

    def told(self) -> dict[str, Any]:
        """What it has taken by now."""
        answer: dict[str, Any] = httpx.get(self.url, timeout=30).raise_for_status().json()
        return answer

    def wait(self, entries: int, every_s: float = 0.02) -> float:
        """Wait until it has taken so many; gives when that was."""
        while self.told()["entries"] < entries:
            time.sleep(every_s)  # between two looks at the condition
        return time.monotonic()


def cpu_s(workers: list[Worker]) -> tuple[float, float]:
    """CPU seconds of the workers' own processes, and of their mapping processes."""
    own = mapping = 0.0
    for worker in workers:
        process = psutil.Process(worker.process.pid)
        own += sum(process.cpu_times()[:2])
        mapping += sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))
    return own, mapping


def fill(pipeline: Pipeline, load: Load, first: int = 0, rate: float = 0.0) -> None:
    """Write events to `raw`, at a rate if one is given."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers, "acks": "all", "linger.ms": 5})
    began = time.monotonic()
    for number in range(first, first + load.events):
        if rate and (ahead := (number - first) / rate - (time.monotonic() - began)) > 0:
            time.sleep(ahead)  # the load itself
        key = ledger.interaction(number).encode()
        value = event(number, load.size, int(time.time() * 1000) if rate else None)
        headers = [("received-at", str(int(datetime.now(UTC).timestamp() * 1000)).encode())]
        while True:
            try:
                producer.produce(f"{pipeline.prefix}raw", value, key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(120)


def drain(pipeline: Pipeline, bus: Bus, load: Load) -> dict[str, Any]:
    """Let workers work off what stands in `raw`."""
    fill(pipeline, load)
    total = published(load.events)
    workers = [pipeline.start(wait=False) for _ in range(load.workers)]
    first, before = bus.wait(total // 10), cpu_s(workers)
    started = bus.told()["entries"]
    last, after = bus.wait(total * 9 // 10), cpu_s(workers)
    ended = bus.told()
    events = (ended["entries"] - started) / PUBLISHED * 100
    bus.wait(total)
    return {
        "events_per_second": round(events / (last - first)),
        "own_us": round(1e6 * (after[0] - before[0]) / events, 1),
        "mapping_us": round(1e6 * (after[1] - before[1]) / events, 1),
        "entries_a_request": round(ended["entries"] / ended["requests"], 2),
    }


def flow(pipeline: Pipeline, bus: Bus, load: Load) -> dict[str, Any]:
    """Write at a rate to workers that are ready, and see how long events take."""
    workers = [pipeline.start() for _ in range(load.workers)]
    warm_up = Load(int(load.rate), load.size, load.partitions, load.workers, load.rate)
    fill(pipeline, warm_up, rate=load.rate)
    bus.wait(published(warm_up.events), 0.2)
    bus.told()
    before = cpu_s(workers)
    fill(pipeline, load, warm_up.events, load.rate)
    bus.wait(published(warm_up.events + load.events), 0.2)
    after, told = cpu_s(workers), bus.told()
    return {
        "rate": load.rate,
        "own_us": round(1e6 * (after[0] - before[0]) / load.events, 1),
        "mapping_us": round(1e6 * (after[1] - before[1]) / load.events, 1),
        **told,
    }


def measure(servers: str, load: Load, settings: dict[str, str], latency_ms: float) -> dict[str, Any]:
    """One run with topics, workers and a bus of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bus = Bus(stack, latency_ms)
        pipeline = stack.enter_context(
            Pipeline(servers, folder, {"CLOUDWATCH_ENABLED": "false", "LOG_LEVEL": "ERROR", **settings})
        )
        pipeline.settings |= {"AWS_ENDPOINT_URL": bus.url, "DLQ_QUEUE_URL": ""}
        names = tuple(f"{pipeline.prefix}{name}" for name in ("raw", "validated", "failures", "sources"))
        administration.create_topics(servers, names, partitions=load.partitions, replication=1)
        return flow(pipeline, bus, load) if load.rate else drain(pipeline, bus, load)


def main() -> None:
    """Run so many times, and print each."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--size", type=int, default=500, help="bytes of an event, about")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: as fast as it goes")
    parser.add_argument("--latency-ms", type=float, default=20.0, help="what EventBridge takes to answer")
    parser.add_argument("--set", action="append", default=[], help="a setting of the workers: NAME=VALUE")
    options = parser.parse_args()
    load = Load(options.events, options.size, options.partitions, options.workers, options.rate)
    settings = dict(one.split("=", 1) for one in options.set)
    with ExitStack() as stack:
        outside = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
        servers = outside or stack.enter_context(KafkaCluster()).bootstrap_servers
        for _ in range(options.runs):
            print(json.dumps(measure(servers, load, settings, options.latency_ms)), flush=True)


if __name__ == "__main__":
    main()
