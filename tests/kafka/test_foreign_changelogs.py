"""What somebody else wrote into the changelogs, on real Apache Kafka: a worker starts and counts all the same."""

from __future__ import annotations

from confluent_kafka import Consumer, Producer

from tests.kafka.pipeline import Pipeline

TABLES = ("totals", "throughput", "failed", "latency", "gaps", "recent")
RECORDS = (
    (b'"pipeline"', b"5"),
    (b'"a"', b'{"__faust": {"ns": "nobody\'s"}}'),
    (b'"0/%s/1"' % (b"9" * 400), b'{"at": 1e300, "marks": ""}'),
    (b'["pipeline", [1e308, 1]]', b"{}"),
    (b'"gap"', b'{"start_ms": 1, "reason": %s}' % (b"[" * 400 + b"]" * 400)),
    (b"\xff", b"{}"),
    (b"{}", b"{}"),
    (b'["pipeline", [60.0, 119.9]]', b"[]"),
    (b'"pipeline"', b"\xff"),
    (b'"pipeline"', b'{"counts": {"ingested": %d}, "failed": [], "latency": {}}' % (2**64 - 1)),
    (b'"last"', b"\xff"),
)
VIEWS = ("/api/report/", "/api/tables/", *(f"/api/tables/{name}/" for name in TABLES if name != "recent"))


def spoil(pipeline: Pipeline) -> None:
    """Write the records to every partition of every changelog, the worst one last."""
    known = Consumer({"bootstrap.servers": pipeline.bootstrap_servers, "group.id": "none"}).list_topics(timeout=10)
    changelogs = {name: topic for name, topic in known.topics.items() if name.startswith(pipeline.prefix)}
    producer, refused = Producer({"bootstrap.servers": pipeline.bootstrap_servers}), []
    for table in TABLES:
        (name,) = [name for name in changelogs if name.endswith(f"-{table}-changelog")]
        for partition in changelogs[name].partitions:
            for key, value in RECORDS:
                producer.produce(name, value, key, partition,
                                 on_delivery=lambda error, _: refused.append(error) if error else None)  # fmt: skip
    assert (producer.flush(30), refused) == (0, [])


def test_a_worker_starts_and_counts_over_what_is_no_row(pipeline: Pipeline):
    first = pipeline.start()
    pipeline.feed(range(50))
    pipeline.settled(50)
    first.stop()
    spoil(pipeline)
    second = pipeline.start()
    pipeline.feed(range(50, 100))
    account = pipeline.settled(100)
    assert (account.lost, account.wrong, account.duplicates) == ((), (), 0), account
    for path in VIEWS:
        answer = second.get(path)
        assert answer is not None, path
        assert answer.status_code == 200, (path, answer.text)
    second.stop()
