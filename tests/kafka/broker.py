"""This module runs one Kafka broker as a Java process: format its storage, start, stop, freeze."""

import random
import resource
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.kafka import distribution

STOP_TIMEOUT_S = 20.0
FORMAT_TIMEOUT_S = 60.0
# The client compiler alone and the serial collector: start-up counts here, and two cores are shared by all.
JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class BrokerError(Exception):
    """A broker did not do what it was asked; the text ends with the last lines of its log."""


@dataclass(slots=True)
class Broker:
    """One broker in `folder`, which holds its configuration, data and log."""

    folder: Path
    heap_megabytes: int = 384
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _log: TextIO | None = field(default=None, init=False, repr=False)

    @property
    def properties_file(self) -> Path:
        return self.folder / "server.properties"

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def format_storage(self, cluster_id: str, scram: list[str]) -> None:
        """Prepare the data folder as KRaft asks; `scram` are users in the words of `--add-scram`."""
        users = [word for user in scram for word in ("--add-scram", user)]
        arguments = ["format", f"--cluster-id={cluster_id}", "-c", str(self.properties_file), *users]
        result = subprocess.run(
            [*self._java(), "kafka.tools.StorageTool", *arguments],
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            check=False,
        )
        if result.returncode != 0:
            raise BrokerError(f"formatting {self.folder} failed: {result.stdout}{result.stderr}")

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        if self.running:
            raise BrokerError(f"the broker in {self.folder} is already running")
        self._log = self.log_file.open("a")
        command = [*self._java(), "kafka.Kafka", str(self.properties_file)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self, *, kill: bool = False) -> None:
        """End the process: in order (SIGTERM), or at once (SIGKILL). Safe to repeat."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)  # a frozen process would not hear SIGTERM
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def freeze(self) -> None:
        """Stop the process in its tracks: its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Let no file of it grow any more, until it is started anew: its next write fails, as on a full disk."""
        assert self._process is not None
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (1, most))

    def raise_if_ended(self) -> None:
        """Raises `BrokerError` with the end of the log when a started process is no longer there."""
        if self._process is not None and (code := self._process.poll()) is not None:
            tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-15:])
            raise BrokerError(f"the broker in {self.folder} ended with exit code {code}:\n{tail}")

    def _signal(self, number: signal.Signals) -> None:
        if not self.running:
            raise BrokerError(f"the broker in {self.folder} is not running")
        assert self._process is not None  # running says so
        self._process.send_signal(number)

    def _java(self) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={distribution.LOG_SETTINGS}"
        heap = f"-Xmx{self.heap_megabytes}m"
        return [distribution.java(), heap, *JAVA_OPTIONS, logging, "-cp", f"{distribution.jars()}/*"]


def free_ports(count: int) -> list[int]:
    """Different free loopback ports, below the range that the kernel hands out to clients.

    A broker that is down keeps its port only while nobody takes it, so one that a client could get is no use.
    """
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), k=2_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken
        found.append(port)
        if len(found) == count:
            return found
    raise BrokerError(f"no {count} free loopback ports between 20000 and 32000")
