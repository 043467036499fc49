"""This module runs one contestant between a real Kafka and a lean EventBridge, and measures it from outside.

CPU is by the kernel's accounting: of each process's own, and of its children (the mapping process). What else the
machine did meanwhile is told with every figure, as it is seldom idle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from confluent_kafka import ConsumerGroupState

from bench.load import Load, fill, published
from tests import http
from tests.kafka import administration
from tests.kafka.broker import free_ports
from tests.kafka.pipeline import Pipeline
from tests.kafka.worker import wait_until

ROOT = Path(__file__).parents[1]

#: What AWS takes to answer, about, in milliseconds.
LATENCY_MS = 20.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way of doing it, in so many processes. `command`: Python and what it runs; None for the project itself.

    `share`: the part of the events that it gets; with a tenth of the rate, a tenth shows it as well.
    """

    name: str
    command: tuple[str, ...] | None = None
    processes: int = 1
    share: float = 1.0


class Bus:
    """The lean EventBridge, in a process of its own."""

    def __init__(self, stack: ExitStack) -> None:
        command = [sys.executable, "-m", "bench.lean_bus", "--latency-ms", str(LATENCY_MS)]
        self.process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT))
        stack.callback(self.process.kill)
        assert self.process.stdout is not None  # opened as a pipe
        self.url = str(json.loads(self.process.stdout.readline())["url"])

    def told(self, what: str = "") -> dict[str, Any]:
        """What it has taken by now; `ages`: how long that took, since it was asked last."""
        answer: dict[str, Any] = http.get(f"{self.url}/{what}").raise_for_status().json()
        return answer

    def wait(self, entries: int, processes: list[psutil.Process], every_s: float = 0.05) -> None:
        """Wait until it has taken so many. Raises RuntimeError when one of the processes ends before."""
        while self.told()["entries"] < entries:
            require_running(processes)
            time.sleep(every_s)  # between two looks at the condition


def require_running(processes: list[psutil.Process]) -> None:
    """Raise RuntimeError when one of the processes has ended."""
    if not all(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
        raise RuntimeError("a process of the contestant has ended")


@dataclass(frozen=True, slots=True)
class Used:
    """The clock, and CPU seconds used so far: of the contestant's own processes, their children, and the machine."""

    at: float
    own: float
    children: float
    machine: float

    @classmethod
    def now(cls, processes: list[psutil.Process]) -> Used:
        """As of now."""
        children = [child for one in processes for child in one.children(recursive=True)]
        times = psutil.cpu_times()
        busy = sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
        return cls(time.monotonic(), _cpu_s(processes), _cpu_s(children), busy)

    def since(self, before: Used, events: float) -> dict[str, Any]:
        """Figures of what went through between two moments; `beside`: cores that others used, Kafka and bus too."""
        seconds, own = self.at - before.at, self.own - before.own
        children = self.children - before.children
        return {
            "events_per_second": round(events / seconds),
            "own_us": round(1e6 * own / events, 1),
            "mapping_us": round(1e6 * children / events, 1),
            "cores": round((own + children) / seconds, 2),
            "beside_cores": round((self.machine - before.machine - own - children) / seconds, 2),
        }


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


class Race:
    """Topics, bus and processes of one contestant, for one run. A context manager."""

    def __init__(self, servers: str, contestant: Contestant, load: Load, settings: dict[str, str]) -> None:
        self._contestant, self._load, self._stack = contestant, load, ExitStack()
        self._servers, self._settings = servers, settings

    def __enter__(self) -> Race:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            self._bus = Bus(stack)
            quiet = {"CLOUDWATCH_ENABLED": "false", "LOG_LEVEL": "ERROR", "DLQ_QUEUE_URL": ""}
            routes = {"ROUTES_DIR": str(_routes(folder / "routes", self._load.routes))}
            self._pipeline = Pipeline(self._servers, folder, {**quiet, **routes, **self._settings}, measured=True)
            self._pipeline.settings["AWS_ENDPOINT_URL"] = self._bus.url
            stack.push(self._pipeline)  # it is never entered: there is no emulator of AWS
            names = tuple(f"{self._pipeline.prefix}{name}" for name in ("raw", "validated", "failures", "sources"))
            administration.create_topics(self._servers, names, partitions=self._load.partitions, replication=1)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self) -> dict[str, Any]:
        """Work off what is written, at its rate if it has one."""
        try:
            return self._flow() if self._load.rate else self._drain()
        except RuntimeError as error:
            logs = [one.read_text("utf-8", "replace")[-2_000:] for one in self._pipeline.folder.glob("*.log")]
            raise RuntimeError(f"{self._contestant.name}: {error}\n" + "\n".join(logs)) from error

    def _drain(self) -> dict[str, Any]:
        """As many as can be: from the first event that is written to the last on the bus, all in one go."""
        load, processes = self._load, self._warm(max(400, self._load.events // 50))
        before, began = Used.now(processes), self._bus.told()
        self._fill(load, self._filled)
        self._bus.wait(self._published, processes)
        after, ended = Used.now(processes), self._bus.told()
        filled = (ended["entries"] - began["entries"]) / (ended["requests"] - began["requests"])
        mib = round(sum(resident_mib(processes)))
        return {**after.since(before, load.events), "entries_a_request": round(filled, 2), "mib": mib}

    def _flow(self) -> dict[str, Any]:
        """At the rate, and how long each event takes."""
        load, processes = self._load, self._warm(int(2 * self._load.rate))
        before = Used.now(processes)
        self._fill(load, self._filled)
        self._bus.wait(self._published, processes, 0.2)
        figures = Used.now(processes).since(before, load.events)
        mib = round(sum(resident_mib(processes)))
        return {**figures, "rate": round(load.rate), **self._bus.told("ages"), "mib": mib}

    def _warm(self, events: int) -> list[psutil.Process]:
        """Start everybody, wait until each has its share, and let some events through before it counts."""
        processes = self._start()
        self._fill(replace(self._load, events=events))
        self._bus.wait(self._published, processes)
        wait_until("everybody to have a share", lambda: _are_settled(self._servers, self._pipeline.prefix, processes))
        self._bus.told("ages")
        return processes

    def _fill(self, load: Load, first: int = 0) -> None:
        fill(self._servers, f"{self._pipeline.prefix}raw", load, first)
        self._filled, self._published = first + load.events, published(first + load.events)

    def _start(self) -> list[psutil.Process]:
        numbers = range(self._contestant.processes)
        if self._contestant.command is None:
            return [psutil.Process(self._pipeline.start().process.pid) for _ in numbers]
        return [psutil.Process(self._run(self._contestant.command).pid) for _ in numbers]

    def _run(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        folder, port = self._pipeline.folder, str(free_ports(1)[0])
        log = self._stack.enter_context((folder / f"{port}.log").open("wb"))
        environment = self._pipeline.environment(WEB_PORT=port, DATA_DIR=str(folder / port), PYTHONPATH=str(ROOT))
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


def _are_settled(servers: str, prefix: str, processes: list[psutil.Process]) -> bool:
    """Whether each of the contestant's groups is at rest with all of the processes in it."""
    client = administration.admin(servers)
    ours = [one.group_id for one in client.list_consumer_groups().result().valid if prefix in one.group_id]
    found = [future.result() for future in client.describe_consumer_groups(ours).values()]
    return all(one.state is ConsumerGroupState.STABLE and len(one.members) >= len(processes) for one in found)


def resident_mib(processes: list[psutil.Process]) -> list[float]:
    """Resident memory of each of them, and of their children."""
    all_of_them = [*processes, *[child for one in processes for child in one.children(recursive=True)]]
    return [one.memory_info().rss / 2**20 for one in all_of_them]


def _routes(folder: Path, number: int) -> Path:
    """The shipped routes, and as many more of other types as make `number`."""
    if number == 1:
        return ROOT / "schemas"
    shutil.copytree(ROOT / "schemas", folder)
    for other in range(number - len(list(folder.iterdir()))):
        path = folder / f"other-{other:02d}"
        shutil.copytree(folder / "interaction", path)
        shutil.rmtree(path / "examples")
        text = (path / "filter.jsonata").read_text().replace('"interaction"', f'"other-{other:02d}"')
        (path / "filter.jsonata").write_text(text)
    return folder
