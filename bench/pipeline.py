"""This module measures one contestant once more, by hand: `python -m bench.pipeline --workers 2 --set NAME=VALUE`.

The events are written as fast as can be, or with `--rate` at that rate, and then it is told how long they took.
One JSON line a run. On real Apache Kafka (Java and Maven, or KAFKA_BOOTSTRAP_SERVERS).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.contestants.all import PROJECT, named
from bench.load import Load
from bench.race import Race
from tests.kafka.cluster import KafkaCluster


@contextmanager
def kafka() -> Iterator[str]:
    """Addresses of real brokers: those that the environment names, else one of our own."""
    if outside := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield outside
        return
    with KafkaCluster() as cluster:
        yield cluster.bootstrap_servers


def main() -> None:
    """Run so many times, and print each."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--contestant", default=PROJECT.name)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--size", type=int, default=500, help="bytes of an event, about")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--routes", type=int, default=1, help="more than one: so many, most of other types")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: as fast as it goes")
    parser.add_argument("--apart", action="store_true", help="events of a conversation not directly behind each other")
    parser.add_argument("--set", action="append", default=[], help="a setting of the workers: NAME=VALUE")
    options = parser.parse_args()
    load = Load(options.events, options.size, options.partitions, options.routes, options.rate, not options.apart)
    settings = dict(one.split("=", 1) for one in options.set)
    contestant = replace(named(options.contestant), processes=options.workers)
    with kafka() as servers:
        for _ in range(options.runs):
            with Race(servers, contestant, load, settings) as race:
                print(json.dumps(race.run()), flush=True)


if __name__ == "__main__":
    main()
