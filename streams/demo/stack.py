"""This module starts and stops the parts of the demo, each a process of its own."""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any, ClassVar, Self

from emulators.kafka import EmbeddedKafka
from settings import Settings

BUS = "demo"
QUEUE = "demo-failures"
EVENTS = "demo-events"

#: What `--faults` has Genesys and AWS do: a sound reader and a sound sender lose nothing by it.
GENESYS_FAULTS = {
    "cut_every_events": 499,
    "half_line": True,
    "blank_every": 25,
    "ragged_chunks": True,
    "duplicate_share": 0.02,
    "out_of_order_share": 0.02,
    "repeat_share": 0.1,
    "closing_every_seconds": 15,
    "closing_notice_seconds": 1,
}
AWS_FAULTS = {
    "entries": [{"code": "ThrottlingException", "share": 0.1}],
    "requests": [{"kind": "drop", "share": 0.02}],
}

#: What any organisation sends at times.
USUAL_NOISE = {"no_ids_every": 50, "repeat_share": 0.05}

START_S = 30.0
STOP_S = 20.0

PR_SET_PDEATHSIG = 1  # linux/prctl.h

#: Settings that a shell may have and the demo keeps; any other could lead it to a real cluster or cloud.
KEPT = ("LOG_FORMAT", "LOG_LEVEL")


class DemoError(Exception):
    """A part of the demo did not start or ended; the text names its log."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo was asked for. `rate`: events a second, 0 = as fast as they are read."""

    events: int | None
    source: str
    faults: bool
    rate: float
    port: int


@dataclass(slots=True)
class Stack:
    """All parts; a context manager. `folder` holds a log of each, and goes at the end unless `keep` is set."""

    start_s: ClassVar[float] = START_S

    options: Options
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="genesys-eventbridge-demo-")))
    genesys: str = ""
    aws: str = ""
    web: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    worker: subprocess.Popen[bytes] | None = None
    keep: bool = False
    _exits: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._exits.callback(self._tidy)
        try:
            kafka = self._exits.enter_context(self._broker())
            aws = self._emulator("aws", self._aws_arguments())
            events = aws["queues"][EVENTS]
            genesys = self._emulator("genesys", self._genesys_arguments(events))
            self.genesys, self.aws = genesys["url"], aws["url"]
            port = _free_port(self.options.port)
            self.web = f"http://127.0.0.1:{port}"
            self.environment = {
                **without_settings(os.environ),
                **kafka.environment,
                "GENESYS_BASE_URL": self.genesys,
                "GENESYS_CLIENT_ID": genesys["clientId"],
                "GENESYS_CLIENT_SECRET": genesys["clientSecret"],
                "GENESYS_SOURCE": f"sqs:{events}" if self.options.source == "sqs" else self.options.source,
                "GENESYS_USERS": "*",
                "GENESYS_TOPICS": "v2.routing.queues.{queue}.conversations,v2.users.{user}.presence",
                "GENESYS_BACKFILL_DELAYS": "3,12",  # the emulator's query knows of a change at once
                "AWS_ENDPOINT_URL": self.aws,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "demo",
                "AWS_SECRET_ACCESS_KEY": "demo",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "EVENTBUS_NAME": BUS,
                "DLQ_QUEUE_URL": aws["queues"][QUEUE],
                "WEB_HOST": "127.0.0.1",
                "WEB_PORT": str(port),
                "DATA_DIR": str(self.folder),
            }
            self.worker = self._worker()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def check(self) -> None:
        """Raise DemoError when the worker has ended."""
        if self.worker is not None and self.worker.poll() is not None:
            self.keep = True
            tail = (self.folder / "worker.log").read_text("utf-8", "replace").splitlines()[-5:]
            raise DemoError(
                f"the worker ended with exit code {self.worker.returncode}; logs are in {self.folder}:\n"
                + "\n".join(tail)
            )

    def _tidy(self) -> None:
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _broker(self) -> AbstractContextManager[EmbeddedKafka]:
        return EmbeddedKafka()

    def _genesys_arguments(self, events: str) -> list[str]:
        arguments = ["--rate", str(self.options.rate)]
        if self.options.source == "sqs":
            arguments += ["--event-queue", events]
        if self.options.events is not None:
            arguments += ["--count", str(self.options.events)]
        if self.options.faults:
            arguments += ["--faults", json.dumps(GENESYS_FAULTS)]
        elif self.options.source == "notifications":
            arguments += ["--faults", json.dumps(USUAL_NOISE)]
        return arguments

    def _aws_arguments(self) -> list[str]:
        faults = ["--faults", json.dumps(AWS_FAULTS)] if self.options.faults else []
        return ["--bus", BUS, "--queue", QUEUE, "--queue", EVENTS, *faults]

    def _emulator(self, name: str, arguments: list[str]) -> dict[str, Any]:
        log = self._log(name)
        process = subprocess.Popen(
            [sys.executable, "-m", f"emulators.{name}", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            preexec_fn=_end_with_parent,
        )  # fmt: skip
        self._exits.callback(_end, process)
        assert process.stdout is not None  # opened as a pipe
        readable, _, _ = select.select([process.stdout], [], [], self.start_s)
        line = process.stdout.readline() if readable else b""
        if not line:
            self.keep = True
            raise DemoError(f"the {name} emulator did not start; see {self.folder / name}.log")
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _worker(self) -> subprocess.Popen[bytes]:
        # A session of its own keeps Ctrl-C away from the worker, so that it is stopped in order.
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "worker"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._log("worker"), start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip
        self._exits.callback(_end, process)
        return process

    def _log(self, name: str) -> IO[bytes]:
        return self._exits.enter_context((self.folder / f"{name}.log").open("wb"))


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of ours or of AWS, and without proxies: all parts are on loopback."""
    ours = {name.upper() for name in Settings.model_fields} - set(KEPT)
    return {
        name: value
        for name, value in environment.items()
        if name.upper() not in ours and not name.upper().startswith("AWS_") and not name.upper().endswith("_PROXY")
    }


def _end_with_parent() -> None:
    """Have Linux stop this process when the demo ends, were it by SIGKILL; elsewhere a killed demo leaves it behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _free_port(wanted: int) -> int:
    """The wanted port, or any free one when somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port on 127.0.0.1")
