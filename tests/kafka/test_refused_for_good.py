"""A topic that refuses records for a while, on real Kafka: the producer that tried is of no use any more."""

from __future__ import annotations

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from streams.exit import EXIT_BUG
from tests.kafka import administration
from tests.kafka.pipeline import Pipeline, wait_until


def limit(pipeline: Pipeline, topic: str, max_bytes: int) -> None:
    """Let a topic take messages of so many bytes at most."""
    entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, pipeline.prefix + topic, incremental_configs=[entry])
    client = administration.admin(pipeline.bootstrap_servers)  # held: without it the answer is lost
    [changed] = client.incremental_alter_configs([resource]).values()
    changed.result(30)


def test_a_worker_that_can_write_no_more_ends_and_the_next_one_goes_on(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(50))
    pipeline.settled(50)
    limit(pipeline, "validated", 100)

    def trouble() -> str:
        answer = worker.get("/health/ready")
        return answer.json()["troubles"].get("kafka", {}).get("reason", "") if answer is not None else ""

    pipeline.feed(range(50, 100))
    wait_until("a refusal", lambda: "validated refuses" in trouble())
    limit(pipeline, "validated", 1_000_000)
    assert worker.wait(120) == EXIT_BUG, worker.tail()
    assert "OutOfOrderSequenceNumber" in worker.tail(40)
    pipeline.start()
    account = pipeline.settled(100)
    assert (account.lost, account.wrong, account.both) == ((), (), ()), account
