"""A whole worker on the embedded broker: more connections than it has file descriptors, with and without a token."""

from __future__ import annotations

import os
import resource
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from tests.kafka.pipeline import Pipeline, wait_until

IDLE, DESCRIPTORS, TOKEN = 1_100, 1_024, "a-token"


@pytest.fixture
def pipeline(broker: str, tmp_path: Path) -> Iterator[Pipeline]:
    settings = {"KAFKA_CREATE_TOPICS": "false", "CLOUDWATCH_ENABLED": "false", "SHUTDOWN_GRACE": "2"}
    with Pipeline(broker, tmp_path, settings) as made:
        yield made


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough of them for this process, which holds the other ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4_096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("token", [None, TOKEN])
def test_idle_connections_neither_end_a_worker_nor_keep_others_out(pipeline: Pipeline, token: str | None) -> None:
    worker = pipeline.start(**({"WEB_TOKEN": token} if token else {}))
    resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    with ExitStack() as held:
        for _ in range(IDLE):
            held.enter_context(socket.create_connection(("127.0.0.1", worker.port), timeout=60))
        answer = worker.get("/api/report/", token)
        assert answer is not None
        assert answer.status_code == 200
        assert worker.ready()
        assert len(os.listdir(f"/proc/{worker.process.pid}/fd")) < DESCRIPTORS / 2

        event = {
            "id": str(uuid.UUID(int=1)), "resourceType": "interaction", "createdTime": "2026-11-23T10:00:00Z",
            "payload": {"type": "voice", "priority": "high"},
        }  # fmt: skip
        producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers})
        producer.produce(f"{pipeline.prefix}raw", orjson.dumps(event), b"key")
        assert producer.flush(30) == 0
        wait_until("the event on the bus", lambda: pipeline.on_bus() == 1)
    assert worker.ready()
    assert worker.process.poll() is None


def test_who_asks_by_another_name_gets_no_answer(pipeline: Pipeline) -> None:
    worker = pipeline.start()
    for path, status in (("/api/report/", b"421"), ("/health/ready", b"200")):
        with socket.create_connection(("127.0.0.1", worker.port), timeout=60) as raw:
            raw.sendall(b"GET %b HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n" % path.encode())
            assert raw.recv(4_096).split()[1] == status
