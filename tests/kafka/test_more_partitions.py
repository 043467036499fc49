"""A topic that is given more partitions under a worker, on real Apache Kafka: it is told, and a restart reads all."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from confluent_kafka.admin import NewPartitions

from tests.kafka import administration
from tests.kafka.pipeline import Pipeline, wait_until


@pytest.fixture
def pipeline(kafka, tmp_path: Path):
    with Pipeline(kafka.bootstrap_servers, tmp_path) as pipeline:
        yield pipeline


def test_partitions_added_to_raw_are_told_and_a_restart_reads_them(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(100))
    client = administration.admin(pipeline.bootstrap_servers)
    [added] = client.create_partitions([NewPartitions(f"{pipeline.prefix}raw", 6)]).values()
    added.result(30)

    def is_told() -> bool:
        answer = worker.get("/health/ready")
        return answer is not None and answer.status_code == 503 and "partitions" in answer.text

    wait_until("health to name the partitions", is_told)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.tail()
    worker = pipeline.start()
    pipeline.feed(range(100, 300))
    account = pipeline.settled(300)
    assert (account.lost, account.wrong) == ((), ()), account
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.tail()
