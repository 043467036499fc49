"""What an operator does on the second day, on real Apache Kafka: limits, partitions, other topics, an outage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests import forked
from tests.kafka import administration, ledger
from tests.kafka.pipeline import Pipeline, wait_until
from tests.shown_commands import bare, groups, needs_real_kafka


def run(pipeline: Pipeline, *arguments: str, **more: str) -> tuple[int | None, Any]:
    """Run a command to its end: exit code and the JSON on stdout."""
    ended = forked.run([*arguments, "--json"], pipeline.environment(**more))
    return ended.code, json.loads(ended.out) if ended.out else ended.err


def configure(pipeline: Pipeline, topic: str, **configs: str) -> None:
    """Give a topic of the flow these configurations."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in configs.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, f"{pipeline.prefix}{topic}", incremental_configs=entries)
    client = administration.admin(pipeline.bootstrap_servers)
    for changed in client.incremental_alter_configs([resource]).values():
        changed.result(30)


def partitions(pipeline: Pipeline) -> dict[str, int]:
    topics = administration.admin(pipeline.bootstrap_servers).list_topics(timeout=30).topics
    return {
        name.removeprefix(pipeline.prefix): len(topic.partitions)
        for name, topic in topics.items()
        if name.startswith(pipeline.prefix)
    }


@pytest.mark.parametrize(
    ("takes", "setting"), [("150000", "120000"), ("110000", "1000000")], ids=["setting below", "setting above"]
)
def test_no_batch_is_larger_than_its_topic_takes(pipeline: Pipeline, takes: str, setting: str):
    pipeline.start().stop()
    pipeline.feed(range(6_000))
    for topic in ("raw", "validated", "failures", "metrics"):
        configure(pipeline, topic, max_message_bytes=takes)
    pipeline.start(KAFKA_MAX_MESSAGE_BYTES=setting)
    account = pipeline.settled(6_000)
    assert account.clean, account
    assert "refuses" not in pipeline.workers[-1].log.read_text()
    code, replayed = run(pipeline, "replay", "--into", "raw", KAFKA_MAX_MESSAGE_BYTES=setting)
    assert (code, replayed["written"]) == (0, 6_000), replayed


def test_two_pipelines_on_one_cluster_know_nothing_of_each_other(kafka, tmp_path: Path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        Pipeline(kafka.bootstrap_servers, tmp_path / "one") as one,
        Pipeline(kafka.bootstrap_servers, tmp_path / "two") as two,
    ):
        one.start()
        two.start()
        one.feed(range(200))
        two.feed(range(100))
        assert one.settled(200).clean
        assert two.settled(100).clean
        assert _counted_at_rest(one) == 200


def _counted_at_rest(pipeline: Pipeline) -> int:
    """What the report says of `raw` once nothing is under way: until then it has what Kafka does not know as ended."""

    def report() -> dict[str, Any] | None:
        answer = pipeline.workers[0].get("/api/report/")
        return answer.json() if answer is not None and answer.status_code == 200 else None

    return int(
        wait_until("nothing to be under way", lambda: (found := report()) and not found["inFlight"] and found)["raw"]
    )


def test_a_worker_starts_while_eventbridge_and_sqs_answer_503_and_reads_on(pipeline: Pipeline, tmp_path: Path):
    outage = [{"kind": "unavailable", "service": service} for service in ("events", "sqs")]
    pipeline.aws_faults({"requests": outage})
    lines = tmp_path / "events.jsonl"
    lines.write_text("".join(json.dumps(ledger.event(number)) + "\n" for number in range(300)))
    worker = pipeline.start(wait=False, GENESYS_SOURCE=f"file:{lines}")

    def waits() -> bool:
        answer = worker.get("/health/ready")
        return answer is not None and {"eventbridge", "queue"} <= set(answer.json()["troubles"])

    wait_until("health to name bus and queue", waits)
    published = sum(ledger.fate(number) == "published" for number in range(300))
    failed = sum(ledger.fate(number) == "failed" for number in range(300))
    wait_until("everything to be mapped", lambda: len(pipeline.read("validated")) >= published)
    wait_until("the failures to be in Kafka", lambda: len(pipeline.read("failures")) >= failed)
    assert pipeline.on_bus() == 0
    answer = worker.answer("/health/live")
    assert answer.status_code == 200
    pipeline.aws_faults(None)
    account = pipeline.settled(300)
    assert account.clean, account
    wait_until("health to be good", worker.ready)


def test_topics_are_planned_and_then_changed_with_their_changelogs(pipeline: Pipeline):
    code, planned = run(pipeline, "topics", "apply", "--dry-run")
    assert code == 0
    assert {one["change"] for one in planned["changes"]} == {"create"}
    assert partitions(pipeline) == {}, "a dry run makes nothing"
    code, made = run(pipeline, "topics", "apply")
    assert (code, made["done"]) == (0, len(planned["changes"]))
    worker = pipeline.start()
    pipeline.feed(range(200))
    assert pipeline.settled(200).clean
    worker.stop()

    wanted = ["--partitions", "raw=10", "--partitions", "validated=7", "--retention", "raw=14d"]
    code, changed = run(pipeline, "topics", "apply", *wanted)
    assert code == 0
    raw = f"{pipeline.prefix}raw"
    assert {"topic": raw, "change": "partitions", "now": 4, "then": 10} in changed["changes"]
    assert {"topic": raw, "change": "retention", "now": 604_800_000, "then": 1_209_600_000} in changed["changes"]
    found = partitions(pipeline)
    assert (found["raw"], found["validated"], found["eventbridge-recent-changelog"]) == (10, 7, 10)
    assert run(pipeline, "topics", "apply", *wanted)[1]["changes"] == []
    code, refused = run(pipeline, "topics", "apply", "--partitions", "raw=3")
    assert code == 2
    assert "Kafka takes none away" in refused
    pipeline.start()
    pipeline.feed(range(200, 600))
    account = pipeline.settled(600)
    assert account.clean, account

    assert run(pipeline, "topics", "apply", "--partitions", "raw=12")[0] == 0
    wait_until("brokers to know of them", lambda: partitions(pipeline)["raw"] == 12)
    pipeline.feed(range(600, 900))  # the worker that runs follows
    account = pipeline.settled(900)
    assert account.clean, account
    assert {10, 11} <= {message.partition() for message in pipeline.records("raw")}


def test_a_pipeline_moves_to_other_topics_and_nothing_is_published_twice(pipeline: Pipeline):
    """What docs/operations.md says: drain, take the failures along, start under the other prefix."""
    worker = pipeline.start()
    pipeline.feed(range(200))
    assert pipeline.settled(200).clean
    worker.stop()
    published, old = pipeline.on_bus(), pipeline.prefix
    failures = len(pipeline.read("failures"))
    pipeline.prefix = f"moved-{old}"
    assert run(pipeline, "topics", "apply")[0] == 0
    code, copied = run(pipeline, "replay", "--from", f"{old}failures", "--into", "failures")
    assert (code, copied["written"]) == (0, failures)
    pipeline.start()
    pipeline.feed(range(200, 400))
    account = pipeline.settled(400)
    assert (account.lost, account.duplicates) == ((), 0), account
    assert pipeline.on_bus() == 2 * published
    code, rehearsed = run(pipeline, "redrive", "--dry-run")
    assert (code, rehearsed["redriven"]) == (0, 2 * failures)


def test_what_pages_show_of_changing_topics_runs_as_it_stands_there(pipeline: Pipeline):
    """`new.` and `genesys.` are prefixes of this pipeline's own here."""
    code, made = run(pipeline, "topics", "apply")
    assert code == 0, made
    producer = Producer({"bootstrap.servers": pipeline.bootstrap_servers})
    producer.produce(f"{pipeline.prefix}failures", b"{}", b"key")
    assert producer.flush(60) == 0
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for line in dict.fromkeys(bare(one) for group in groups() for one in group.lines if needs_real_kafka(one)):
        asked = line.replace("KAFKA_TOPIC_PREFIX=new.", f"KAFKA_TOPIC_PREFIX=new-{pipeline.prefix}")
        command = ["bash", "-c", asked.replace(" genesys.failures", f" {pipeline.prefix}failures")]
        ended = subprocess.run(
            command, env=pipeline.environment(PATH=path), capture_output=True, text=True, timeout=120, check=False
        )
        assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), f"{line}: {ended.stdout}{ended.stderr}"
