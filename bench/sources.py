"""This module measures how fast events come to `raw`, from sockets and from a file, and are tried in a dry run.

`python -m bench.sources [--events 60000]` prints one JSON line for each way; on real Apache Kafka, with nothing else
of the pipeline beside it. Notifications bring steps as well, so `raw` gets more events than came.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition

from bench.load import Load, event, fill
from bench.pipeline import kafka
from bench.race import ROOT, Used, require_running
from tests import http
from tests.kafka import administration
from tests.kafka.pipeline import Pipeline

#: Seconds without anything new in `raw` after which all has come.
QUIET_S = 2.0

#: Seconds that the first event may take.
PATIENCE_S = 120.0

SETTINGS = {
    "CLOUDWATCH_ENABLED": "false",
    "LOG_LEVEL": "ERROR",
    "DLQ_QUEUE_URL": "",
    "GENESYS_BACKFILL": "false",
}

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """Topics of its own for one measurement, in a folder of its own."""

    pipeline: Pipeline
    servers: str

    def in_raw(self) -> int:
        """How many events `raw` has."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "bench"})
        topic = f"{self.pipeline.prefix}raw"
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, number))[1] for number in range(4)]
        consumer.close()
        return sum(ends)


@contextmanager
def way(servers: str, **settings: str) -> Iterator[Way]:
    """The topics of a pipeline, and no process yet."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        pipeline = Pipeline(servers, Path(folder), {**SETTINGS, **settings}, measured=True)
        stack.push(pipeline)  # it is never entered: nothing goes on to AWS
        for name, partitions in (("raw", 4), ("failures", 4), ("validated", 4), ("sources", 1)):
            administration.create_topics(servers, (f"{pipeline.prefix}{name}",), partitions=partitions, replication=1)
        yield Way(pipeline, servers)


def sockets(servers: str, events: int) -> Figures:
    """Notifications from one channel's socket, by a worker that is nothing but a source."""
    command = [sys.executable, "-m", "bench.lean_genesys", "--notifications", str(events + events // 10)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as genesys:
        try:
            assert genesys.stdout is not None  # opened as a pipe
            told = json.loads(genesys.stdout.readline())
            client = {"GENESYS_CLIENT_ID": "bench", "GENESYS_CLIENT_SECRET": "bench"}
            source = {"GENESYS_SOURCE": "notifications", "GENESYS_BASE_URL": told["url"], "WORKER_ROLES": "source"}
            with way(servers, **client, **source) as ours:
                process = psutil.Process(ours.pipeline.start().process.pid)

                def send(number: int) -> None:
                    http.post(f"{told['url']}/send", json={"number": number}, timeout=600).raise_for_status()

                _come(ours, [process], lambda: send(events // 10))  # what is asked for and compiled first
                return {
                    "way": "sockets",
                    "bytes": told["bytes"],
                    **_come(ours, [process], lambda: send(events), events),
                }
        finally:
            genesys.kill()


def file(servers: str, events: int) -> Figures:
    """A file of JSON lines, by a worker that ends when all of it is in Kafka; from its first event there."""
    with way(servers, WORKER_ROLES="source") as ours:
        path = ours.pipeline.folder / "events.jsonl"
        path.write_bytes(b"".join(event(number, 500) + b"\n" for number in range(events)))
        worker = ours.pipeline.start(wait=False, GENESYS_SOURCE=f"file:{path}")
        process = psutil.Process(worker.process.pid)
        while not ours.in_raw():
            require_running([process])
            time.sleep(0.05)  # between two looks at the condition
        return {"way": "file", "bytes": 500, **_come(ours, [process], lambda: None, events)}


def _come(ours: Way, processes: list[psutil.Process], send: Callable[[], object], events: int = 1) -> Figures:
    """What it took until all was in `raw`, of `events` that came."""
    first, before = ours.in_raw(), Used.now(processes)
    threading.Thread(target=send, daemon=True).start()
    after, seen = before, first
    while time.monotonic() - after.at < (PATIENCE_S if seen == first else QUIET_S):
        now, used = ours.in_raw(), Used.now(processes)
        if now != seen:
            seen, after = now, used
        time.sleep(0.05)  # between two looks at the condition
    if seen == first:
        raise RuntimeError(f"nothing came to raw within {PATIENCE_S:g} s")
    return {**after.since(before, events), "in_raw": seen - first}


def dry_run(servers: str, events: int, *more: str) -> Figures:
    """`replay --dry-run`: what a tenth of the events takes is taken off, and with it the command's start."""
    few, many = (_replayed(servers, number, *more) for number in (events // 10, events))
    seconds, cpu_s, counted = many.seconds - few.seconds, many.cpu_s - few.cpu_s, events - events // 10
    return {
        "way": " ".join(("dry run", *more)),
        "events_per_second": round(counted / seconds),
        "own_us": round(1e6 * cpu_s / counted, 1),
        "start_s": round(few.seconds - seconds * events // 10 / counted, 2),
    }


@dataclass(frozen=True, slots=True)
class Took:
    """What a command took, by the clock and of CPU."""

    seconds: float
    cpu_s: float


def _replayed(servers: str, events: int, *more: str) -> Took:
    with way(servers) as ours:
        fill(servers, f"{ours.pipeline.prefix}raw", Load(events))
        command = [sys.executable, "-m", "streams", "replay", "--dry-run", "--json", *more]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, env=ours.pipeline.environment(), cwd=ROOT, capture_output=True, check=True)
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if (read := json.loads(done.stdout)["read"]) != events:
            raise RuntimeError(f"{read} of {events} events were read")
        return Took(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(servers: str, events: int) -> Iterator[Figures]:
    """Every way, one after the other."""
    yield sockets(servers, events)
    yield file(servers, events)
    yield dry_run(servers, events)
    yield dry_run(servers, events, "--routes-dir", "schemas")


def main() -> None:
    """Measure all, and print each."""
    parser = argparse.ArgumentParser(prog="python -m bench.sources", description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    options = parser.parse_args()
    with kafka() as servers:
        for figures in measure(servers, options.events):
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
