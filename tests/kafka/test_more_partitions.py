"""Topics that are given more partitions under a worker, on real Apache Kafka: told or followed, and all is read."""

from __future__ import annotations

from confluent_kafka.admin import NewPartitions

from tests.kafka import administration
from tests.kafka.pipeline import Pipeline, wait_until


def raise_to(pipeline: Pipeline, topic: str, partitions: int) -> None:
    client = administration.admin(pipeline.bootstrap_servers)
    [added] = client.create_partitions([NewPartitions(f"{pipeline.prefix}{topic}", partitions)]).values()
    added.result(30)


def test_partitions_added_to_raw_are_told_and_a_restart_reads_them(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(100))
    raise_to(pipeline, "raw", 6)

    def is_told() -> bool:
        answer = worker.get("/health/ready")
        return answer is not None and answer.status_code == 503 and "partitions" in answer.text

    wait_until("health to name the partitions", is_told)
    worker.stop()
    worker = pipeline.start()
    pipeline.feed(range(100, 300))
    account = pipeline.settled(300)
    assert (account.lost, account.wrong) == ((), ()), account
    worker.stop()


def test_partitions_added_to_what_has_no_changelog_are_followed(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(100))
    for topic in ("validated", "failures"):
        raise_to(pipeline, topic, 8)

    def reads_all() -> bool:
        answer = worker.get("/api/status/")
        workers = answer.json()["workers"] if answer is not None and answer.status_code == 200 else []
        read = workers[0]["partitions"] if workers else {}
        return all(len(read.get(f"{pipeline.prefix}{topic}", ())) == 8 for topic in ("validated", "failures"))

    wait_until("the worker to read them", reads_all)
    pipeline.feed(range(100, 400))
    account = pipeline.settled(400)
    assert (account.lost, account.wrong) == ((), ()), account
    assert worker.process.poll() is None, worker.tail()
    used = {message.partition() for message in pipeline.records("validated")}
    assert used & {4, 5, 6, 7}, "nothing came into the new ones"
