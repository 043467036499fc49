"""This module runs whole workers against a given Kafka and the AWS emulator, and reads where events ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
import orjson
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from tests import forked, http
from tests.kafka import ledger
from tests.kafka.broker import free_ports
from tests.kafka.ledger import Account
from tests.kafka.worker import Process, WaitedInVainError, Worker, wait_until

__all__ = ["BUS", "PATIENCE_S", "QUEUE", "Pipeline", "WaitedInVainError", "Worker", "wait_until"]

BUS = "bus"
QUEUE = "failures.fifo"

#: Seconds without any change after which nothing more is expected; long, as a busy machine is no fault.
PATIENCE_S = 120.0


@dataclass(slots=True)
class Pipeline:
    """Workers of one group with topics, bus and queue of their own. A context manager.

    `measured`: workers and emulators start as an operator's do; otherwise they are forked (tests/forked.py).
    """

    bootstrap_servers: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    aws_arguments: tuple[str, ...] = ()
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}.")
    workers: list[Worker] = field(default_factory=list)
    aws: str = ""
    queue_url: str = ""
    custom_bus: str = ""
    gone_from_queue: list[dict[str, Any]] = field(default_factory=list)
    measured: bool = False
    _exits: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        arguments = ["--bus", BUS, "--custom-bus", BUS, "--queue", QUEUE, *self.aws_arguments]
        announced = self.emulator("aws", arguments)
        self.aws, self.queue_url = announced["url"], announced["queues"][QUEUE]
        self.custom_bus = announced["customBuses"][BUS]
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            _kill(worker.process)
        self._exits.close()

    def emulator(self, name: str, arguments: Iterable[str]) -> dict[str, Any]:
        """Start an emulator; gives what it announces."""
        told, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        process = self._process(f"emulators.{name}", ["--port", "0", *arguments], os.environ, told, log)
        self._exits.callback(_kill, process)
        announced: dict[str, Any] = forked.announced(process, told, log)
        return announced

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a worker."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GENESYS", "KAFKA", "AWS"))}
        return {
            **clean,
            "GENESYS_SOURCE": "none",
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "KAFKA_TOPIC_PARTITIONS": "4",
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "EVENTBUS_NAME": BUS,
            "DLQ_QUEUE_URL": self.queue_url,
            "DATA_DIR": str(self.folder / "data"),
            **self.settings,
            **more,
        }

    def start(
        self, *arguments: str, wait: bool = True, module: str = "streams", folder: Path | None = None, **more: str
    ) -> Worker:
        """Start a worker, of the project in `folder` if it is given, and wait until it is ready.

        It has an AWS access key that faults can pick it by.
        """
        port, number = free_ports(1)[0], len(self.workers)
        key = f"worker{number}"
        own = {"WEB_PORT": str(port), "AWS_ACCESS_KEY_ID": key, **self.settings, **more}
        log = self.folder / f"worker-{number}.log"
        process = self._process(module, ["worker", *arguments], self.environment(**own), log, log, folder)
        worker = Worker(f"worker {number}", port, log, process, key)
        self.workers.append(worker)
        if wait:
            wait_until(f"{worker.name} to be ready", worker.ready)
        return worker

    def _process(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path,
        folder: Path | None = None,
    ) -> Process:  # fmt: skip
        """Start a program, of the project in `folder` if it is given."""
        if module in forked.PROGRAMS and not (self.measured or folder):
            return forked.start(module, arguments, environment, out, err)
        with out.open("ab") as output, err.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    def feed(self, numbers: Iterable[int], codec: str = "none") -> None:
        """Write numbered events to `raw`, compressed by `codec`; returns when the broker has them."""
        refused: list[object] = []
        producer = Producer({"bootstrap.servers": self.bootstrap_servers, "acks": "all", "linger.ms": 5,
                             "compression.type": codec})  # fmt: skip
        for number in numbers:
            value = orjson.dumps(ledger.event(number))
            producer.produce(f"{self.prefix}raw", value, ledger.interaction(number).encode(),
                             on_delivery=lambda error, _: refused.append(error) if error else None)  # fmt: skip
            producer.poll(0)
        if producer.flush(60) or refused:
            raise WaitedInVainError(f"Kafka did not take the events: {refused[:3]}")

    def read(self, topic: str) -> list[bytes]:
        """Every value on a topic up to its present end."""
        return [message.value() or b"" for message in self.records(topic)]

    def records(self, topic: str) -> list[Message]:
        """Every record on a topic up to its present end."""
        return read_topic(self.bootstrap_servers, f"{self.prefix}{topic}")

    def on_bus(self) -> int:
        """How many entries EventBridge took."""
        return int(self.inspect("summary")["events"]["accepted"])

    def bus(self) -> list[dict[str, Any]]:
        """Details on the bus, in order of arrival."""
        return [entry["detail"] for entry in self.inspect("events")["events"]]

    def arrivals(self) -> list[tuple[dict[str, Any], int]]:
        """Details on the bus with their epoch ms, in order of arrival."""
        return [(entry["detail"], entry["arrivedAt"]) for entry in self.inspect("events")["events"]]

    def senders(self) -> list[tuple[dict[str, Any], str, int]]:
        """Details on the bus with the access key of who put them there, and epoch ms, in order of arrival."""
        events = self.inspect("events")["events"]
        requests = self.inspect("requests")["requests"]  # after it, so that it has each event's request
        return [(one["detail"], requests[one["request"]]["accessKey"], one["arrivedAt"]) for one in events]

    def queue(self) -> list[str]:
        """Bodies in the dead-letter queue, and in those that were deleted before it."""
        return [message["body"] for message in [*self.gone_from_queue, *self.messages()]]

    def messages(self) -> list[dict[str, Any]]:
        """Messages in the dead-letter queue."""
        found: list[dict[str, Any]] = self.inspect(f"queues/{QUEUE}/messages")["messages"]
        return found

    def delete_queue(self) -> None:
        """Delete the dead-letter queue, as an operator would."""
        keys = {"aws_access_key_id": "operator", "aws_secret_access_key": "operator"}
        boto3.client("sqs", "us-east-1", endpoint_url=self.aws, **keys).delete_queue(QueueUrl=self.queue_url)

    def create_queue(self) -> None:
        """Make the dead-letter queue again."""
        http.post(f"{self.aws}/_emulator/queues", json={"name": QUEUE}).raise_for_status()

    def inspect(self, what: str) -> Any:
        """Ask the AWS emulator what it received."""
        return http.get(f"{self.aws}/_emulator/{what}").raise_for_status().json()

    def aws_faults(self, faults: dict[str, Any] | None) -> None:
        """Put faults into force, or take all away."""
        url = f"{self.aws}/_emulator/faults"
        answer = http.delete(url) if faults is None else http.put(url, json=faults)
        answer.raise_for_status()

    def account(self, events: int) -> Account:
        """Where each of `events` numbered events is now."""
        return ledger.account(events, self.bus(), self.read("failures"), self.queue())

    def settled(self, events: int, timeout: float = 300.0) -> Account:
        """Wait until nothing is lost any more, or nothing has changed for a while; give the account."""
        wanted = sum(ledger.fate(number) == "published" for number in range(events))
        last, since = -1, time.monotonic()
        ends = since + timeout
        while time.monotonic() < ends:
            taken = self.on_bus()
            if taken != last:
                last, since = taken, time.monotonic()
            if taken >= wanted and not (found := self.account(events)).lost and not found.unmirrored:
                return found
            if time.monotonic() - since > PATIENCE_S or self._has_failed():
                break
            time.sleep(0.25)  # between two looks at the condition
        return self.account(events)

    def _has_failed(self) -> bool:
        """Whether no worker runs any more, and the latest ended by itself: none will come after it."""
        codes = [worker.process.poll() for worker in self.workers]
        return bool(codes) and None not in codes and (codes[-1] or 0) > 0


def read_topic(bootstrap_servers: str, name: str) -> list[Message]:
    """Every record on the topic of that name up to its present end."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": uuid.uuid4().hex,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest"})  # fmt: skip
    try:
        partitions = [TopicPartition(name, part, 0) for part in consumer.list_topics(name, 10).topics[name].partitions]
        ends = {part.partition: _end(consumer, part) for part in partitions}
        consumer.assign(partitions)
        found: list[Message] = []
        open_parts = {part for part, end in ends.items() if end > 0}
        deadline = time.monotonic() + 60
        while open_parts and time.monotonic() < deadline:
            for message in consumer.consume(1000, 0.2):
                if message.error() is None:
                    found.append(message)
                    if message.offset() + 1 >= ends[message.partition()]:
                        open_parts.discard(message.partition())
        return found
    finally:
        consumer.close()


def _end(consumer: Consumer, part: TopicPartition) -> int:
    """The end of a partition, asked again while another broker takes over."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return int(consumer.get_watermark_offsets(part, 10)[1])
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)  # between two questions


def _kill(process: Process) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()
