"""This module watches a worker's memory while many events go through: `python -m bench.memory --events 200000`.

On real Apache Kafka (Java and Maven, or KAFKA_BOOTSTRAP_SERVERS). Prints one JSON line; memory in MiB, of the worker
and its mapping process together, first taken when a tenth of the events is through.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.pipeline import kafka
from bench.race import resident_mib
from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, Worker

#: Events written at once: the worker is never further behind than so many.
STEP = 10_000


def main() -> None:
    """Run once."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args().events
    with kafka() as servers, TemporaryDirectory() as folder, Pipeline(servers, Path(folder), measured=True) as pipeline:
        print(json.dumps(watch(pipeline, pipeline.start(), events)), flush=True)


def watch(pipeline: Pipeline, worker: Worker, events: int) -> dict[str, float]:
    """Feed step by step and look at the memory after each."""
    seen: list[float] = []
    began, published = time.monotonic(), 0
    for start in range(0, events, STEP):
        numbers = range(start, min(events, start + STEP))
        pipeline.feed(numbers)
        published += sum(ledger.fate(number) == "published" for number in numbers)
        while pipeline.on_bus() < published:
            time.sleep(0.2)  # between two looks at the condition
        seen.append(sum(resident_mib([psutil.Process(worker.process.pid)])))
        print(f"{numbers.stop} events, {seen[-1]:.0f} MiB", file=sys.stderr, flush=True)
    flat = seen[len(seen) // 10 :]
    return {
        "events": events,
        "seconds": round(time.monotonic() - began, 1),
        "first_mib": round(flat[0], 1),
        "last_mib": round(flat[-1], 1),
        "most_mib": round(max(flat), 1),
        "growth_mib": round(flat[-1] - flat[0], 1),
    }


if __name__ == "__main__":
    main()
