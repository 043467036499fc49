"""This module is a soak of the notification source: `python -m bench.soak --minutes 4`.

Two workers on a real Kafka listen to 2,500 topics, so on three channels, while every socket is cut each two to
five seconds, channels are replaced each ten, and one frame in twenty comes twice. Then every state and every
step that Genesys tells of is looked for on the bus. One JSON line; exit code 1 when something is lost.

Memory over time: `--minutes 75 --events 180000 --topics 9 --workers 1 --cuts 30,60`; each ten seconds stderr
gets the memory of each worker and of its mapping process.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bench.race import resident_mib
from tests import http
from tests.kafka.cluster import KafkaCluster
from tests.kafka.conversations import Genesys, account
from tests.kafka.pipeline import Pipeline, Worker, wait_until

SAMPLE_S = 10.0
#: Frames that a conversation of the emulator makes on its queues' topics, about.
FRAMES = 8

SETTINGS = {
    "GENESYS_CHANNEL_ROTATE": "10",
    "GENESYS_CHANNEL_OVERLAP": "2",
    "CLOUDWATCH_ENABLED": "false",
}


def main() -> None:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=4.0, help="how long Genesys sends")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--topics", type=int, default=2_500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cuts", type=_stretch, default=(2.0, 5.0), help="seconds between two cuts, least,most")
    options = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        KafkaCluster() as kafka,
        Pipeline(kafka.bootstrap_servers, Path(folder), dict(SETTINGS), measured=True) as pipeline,
    ):
        result = run(pipeline, options)
    print(json.dumps(result), flush=True)
    sys.exit(1 if result["lost"] or result["unheard"] or result["stepsLost"].total() else 0)


def _stretch(text: str) -> tuple[float, float]:
    least, most = map(float, text.split(","))
    return least, most


def run(pipeline: Pipeline, options: argparse.Namespace) -> dict[str, Any]:
    """The whole soak; the figures."""
    seconds, events, topics = options.minutes * 60, options.events, options.topics
    quiet = ["--conversation-rate", "0", "--heartbeat-seconds", "5", "--faults", '{"duplicate_share": 0.05}']
    genesys = Genesys.of(pipeline.emulator("genesys", quiet))
    pipeline.settings.update(genesys.settings)
    for number in range(topics - 9):  # nine are there from the start
        genesys.tell("POST", "queues", name=f"Queue {number:05d}")
    workers = [pipeline.start() for _ in range(options.workers)]
    wait_until("all topics to be listened to", lambda: len(genesys.listened()) == topics, 180)
    listened = set(genesys.listened())
    genesys.tell("PUT", "rate", rate=events / seconds / FRAMES * 10)  # ten frames make one conversation there
    began = time.monotonic()
    at_once = len(genesys.sockets())
    with watched(workers) as memory:
        cuts = shake(genesys, options.cuts, events, seconds * 1.5)
        genesys.tell("POST", "finish")
        sent_s = time.monotonic() - began
        gaps = settled(pipeline, workers[-1])
    found = account(pipeline, genesys, listened)
    notifications = genesys.inspect("summary")["notifications"]
    return {
        "events": notifications["frames"].get("event", 0),
        "sentTwice": notifications["frames"].get("duplicate", 0),
        "topics": len(listened),
        "seconds": round(sent_s),
        "cuts": cuts,
        "atOnce": at_once,
        "channels": notifications["channels"]["created"],
        "conversations": notifications["conversations"],
        "states": found.states,
        "unheard": len(found.unheard),
        "lost": len(found.lost),
        "sameEventOnBus": found.same_event,
        "sameStateOnBus": len(found.same_state),
        "steps": found.steps,
        "stepsLost": Counter(found.steps_lost),
        "stepsRepeatedInRaw": found.steps_repeated,
        "gaps": Counter(gap["state"] for gap in gaps),
        "backfilled": sum(b'"backfilled":true' in value for value in pipeline.read("raw")),
        "settledAfter": round(time.monotonic() - began - sent_s),
        "rssMegabytes": memory,
    }


def shake(genesys: Genesys, between: tuple[float, float], events: int, most_s: float) -> int:
    """Cut all sockets again and again until so many events were sent; how many times."""
    chance = random.Random(4)
    ends, cuts = time.monotonic() + most_s, 0
    while time.monotonic() < ends:
        time.sleep(chance.uniform(*between))  # the load itself
        genesys.tell("POST", "cut")
        cuts += 1
        if genesys.inspect("summary")["notifications"]["frames"].get("event", 0) >= events:
            break
    return cuts


@contextmanager
def watched(workers: list[Worker]) -> Iterator[dict[str, list[int]]]:
    """Each worker's memory over time, in MiB with its mapping process; both of them apart on stderr."""
    memory: dict[str, list[int]] = {worker.name: [] for worker in workers}
    over = threading.Event()

    def look() -> None:
        began = time.monotonic()
        while not over.wait(SAMPLE_S):
            for worker in workers:
                parts = resident_mib([psutil.Process(worker.process.pid)])
                memory[worker.name].append(round(sum(parts)))
                text = " + ".join(f"{part:.1f}" for part in parts)
                print(f"{time.monotonic() - began:.0f} s, {worker.name}: {text} MiB", file=sys.stderr, flush=True)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def settled(pipeline: Pipeline, worker: Worker) -> list[dict[str, Any]]:
    """Wait until no gap is open, no event is in flight, and nothing moves on the bus any more; the gaps."""

    def asked(path: str) -> Any:
        return http.get(f"{worker.url}{path}").raise_for_status().json()

    def rows() -> list[dict[str, Any]]:
        return list(asked("/api/tables/gaps/?limit=1000")["rows"])

    wait_until("every gap to be done with", lambda: all(row["state"] != "open" for row in rows()), 300)
    seen = -1
    while (now := pipeline.on_bus()) != seen:
        seen = now
        time.sleep(5)  # so long nothing must have come
        wait_until("nothing to be in flight", lambda: asked("/api/report/")["inFlight"] == 0, 300)
    return rows()


if __name__ == "__main__":
    main()
