"""This module starts the embedded broker: librdkafka's mock cluster, in a process of its own, on loopback.

It speaks the real Kafka protocol (groups, commits, idempotent and transactional producers) and needs no
Java. Limits, measured on librdkafka 2.16:

- Everything is in memory and ends with the process. A partition keeps its newest 5 MB (100,000 messages of
  one byte are no limit); older ones are dropped, read or not, and a consumer behind starts at what is left.
- Topics appear on first use with 4 partitions, replication 1. There is no controller, so creating, deleting
  and configuring topics is never answered, nor is listing and describing groups: `KAFKA_CREATE_TOPICS=false`.
- A group's first member joins at once. When a member comes or goes later, the rebalance lasts the group's
  session timeout less one second, however soon its members answer; a restarted worker waits for that too.
- Groups of several members are a gamble: a member whose SyncGroup comes after the leader's is answered
  INVALID_REQUEST, which ends an aiokafka consumer. Run one worker a group here, several on a real Kafka.
- Looking up an offset by timestamp always finds nothing; beginning and end offsets are right.
- No TLS, no authentication. The port is the kernel's choice: this way of starting it has no say in that.
"""

import argparse
import asyncio
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from types import FrameType
from typing import Self

from confluent_kafka import cimpl

PARTITIONS = 4
"""Partitions of every topic that the embedded broker creates on first use."""

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
PARENT_CHECK_S = 0.5
RD_KAFKA_PRODUCER = 0  # the first value of rd_kafka_type_t in rdkafka.h


class EmbeddedKafkaError(Exception):
    """The embedded broker did not start, or was asked for its address before it had one."""


@dataclass(slots=True)
class EmbeddedKafka:
    """One broker process; a context manager, plain or async.

    `start` raises `EmbeddedKafkaError` when the broker does not come up within `start_timeout_s` seconds.
    """

    start_timeout_s: float = START_TIMEOUT_S
    _process: subprocess.Popen[str] | None = field(default=None, init=False, repr=False)
    _bootstrap_servers: str = field(default="", init=False)

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of the broker."""
        if not self._bootstrap_servers:
            raise EmbeddedKafkaError("the embedded broker is not running; call start() first")
        return self._bootstrap_servers

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which a worker runs on this broker."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_CREATE_TOPICS": "false",
            "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
            "KAFKA_REPLICATION_FACTOR": "1",
        }

    def start(self) -> Self:
        """Start the process and wait until it has said its address."""
        if self._process is not None:
            raise EmbeddedKafkaError("the embedded broker is already running")
        # A session of its own keeps Ctrl-C away from the broker, so that a worker can drain before it goes.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "emulators.kafka", "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._bootstrap_servers = _announced_address(self._process, self.start_timeout_s)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the process; it holds nothing worth saving, so one that lingers is killed. Safe to repeat."""
        process, self._process, self._bootstrap_servers = self._process, None, ""
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


def _announced_address(process: subprocess.Popen[str], timeout_s: float) -> str:
    """The address in the one line that the process prints when it answers."""
    assert process.stdout is not None  # opened as a pipe
    readable, _, _ = select.select([process.stdout], [], [], timeout_s)
    if not readable:
        raise EmbeddedKafkaError(f"the embedded broker did not answer within {timeout_s:g} s")
    line = process.stdout.readline()
    if not line:
        raise EmbeddedKafkaError(f"the embedded broker ended at start with exit code {process.wait()}")
    return str(json.loads(line)["bootstrap_servers"])


def serve(parent: int) -> None:
    """Run the broker until SIGTERM, SIGINT, or until `parent` (a process id) is no longer the parent."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(json.dumps({"bootstrap_servers": _start_mock_cluster()}), flush=True)
    while not stopped.wait(PARENT_CHECK_S) and os.getppid() == parent:
        pass


def _start_mock_cluster() -> str:
    """Start the cluster in this process, for as long as the process lives, and give its address.

    Calls librdkafka's public `rdkafka_mock.h` rather than setting `test.mock.num.brokers`, because only so
    can the first join of every consumer group be freed of a three-second wait.
    """
    library = ctypes.CDLL(cimpl.__file__)  # symbols of the librdkafka that confluent-kafka is linked with
    library.rd_kafka_conf_new.restype = ctypes.c_void_p
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    error = ctypes.create_string_buffer(512)
    configuration = ctypes.c_void_p(library.rd_kafka_conf_new())
    # The owning client never connects; level 3 (errors) leaves out its warning about that.
    library.rd_kafka_conf_set(configuration, b"log_level", b"3", error, ctypes.c_size_t(len(error)))
    owner = library.rd_kafka_new(RD_KAFKA_PRODUCER, configuration, error, ctypes.c_size_t(len(error)))
    cluster = library.rd_kafka_mock_cluster_new(ctypes.c_void_p(owner), 1) if owner else None
    if not cluster:
        raise EmbeddedKafkaError(f"librdkafka did not start its mock cluster: {error.value.decode()}")
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(ctypes.c_void_p(cluster), ctypes.c_int32(0))
    address: bytes = library.rd_kafka_mock_cluster_bootstraps(ctypes.c_void_p(cluster))
    return address.decode()


def main() -> None:
    """Serve one embedded broker: `python -m emulators.kafka`."""
    parser = argparse.ArgumentParser(prog="python -m emulators.kafka", description=main.__doc__)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="end when this is not the parent process")
    serve(parser.parse_args().parent)


if __name__ == "__main__":
    main()
