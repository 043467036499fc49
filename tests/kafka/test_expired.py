"""Events that Kafka deletes before they are processed, on real Apache Kafka: told until somebody acknowledges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests import forked
from tests.kafka import administration
from tests.kafka.pipeline import Pipeline, Worker, wait_until

ENDS = ("published", "filtered", "failed", "repeated", "expired", "inFlight")


@pytest.fixture
def pipeline(kafka, tmp_path: Path):
    with Pipeline(kafka.bootstrap_servers, tmp_path, settings={"REPORT_INTERVAL": "2"}) as pipeline:
        yield pipeline


def ends(pipeline: Pipeline) -> dict[int, int]:
    consumer = Consumer({"bootstrap.servers": pipeline.bootstrap_servers, "group.id": "nobody"})
    name = f"{pipeline.prefix}raw"
    found = {part: consumer.get_watermark_offsets(TopicPartition(name, part), 10)[1] for part in range(4)}
    consumer.close()
    return found


def delete_all_but(pipeline: Pipeline, newest: int) -> dict[int, int]:
    """Delete all of `raw` but the newest of each partition; gives where each log begins now."""
    begins = {part: max(0, end - newest) for part, end in ends(pipeline).items()}
    client = administration.admin(pipeline.bootstrap_servers)
    wanted = [TopicPartition(f"{pipeline.prefix}raw", part, offset) for part, offset in begins.items()]
    for deleted in client.delete_records(wanted).values():
        deleted.result(30)
    return begins


def json_of(worker: Worker, path: str) -> Any:
    answer = worker.get(path)
    return answer.json() if answer is not None and answer.status_code in (200, 503) else None


def acknowledge(pipeline: Pipeline, worker: Worker) -> dict[str, Any]:
    ended = forked.run(["acknowledge", "--url", worker.url, "--json"], pipeline.environment())
    assert ended.code == 0, ended.err
    return dict(json.loads(ended.out))


def test_what_is_deleted_while_the_workers_are_off_is_told_until_it_is_acknowledged(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(100))
    pipeline.settled(100)
    worker.stop()
    read = ends(pipeline)
    pipeline.feed(range(100, 500))
    begins = delete_all_but(pipeline, 20)
    gone = {part: begins[part] - read[part] for part in begins if begins[part] > read[part]}
    assert sum(gone.values()) > 250

    worker = pipeline.start(wait=False)
    wait_until(
        "the report to balance", lambda: (json_of(worker, "/api/report/") or {}).get("expired") == sum(gone.values())
    )

    def rests() -> bool:
        found = json_of(worker, "/api/report/")
        return bool(found and found["raw"] == 500 and not found["inFlight"])

    wait_until("everything to end", rests)
    report = json_of(worker, "/api/report/")
    assert report["raw"] == sum(report[name] for name in ENDS)
    assert report["balanced"], report
    rows = [row for row in json_of(worker, "/api/tables/gaps/")["rows"] if row["state"] == "expired"]
    assert {row["part"]: row["events"] for row in rows} == gone
    assert all(row["topic"] == "raw" and row["before_ms"] and "written before" in row["reason"] for row in rows)

    ready = json_of(worker, "/health/ready")
    assert f"{sum(gone.values())} events" in ready["troubles"]["expired"]["reason"]
    assert "expired" in worker.log.read_text()
    metrics = worker.answer("/metrics")
    assert f'genesys_eventbridge_events_total{{outcome="expired"}} {sum(gone.values())}.0' in metrics.text

    def on_cloudwatch() -> float:
        points = [one for one in pipeline.inspect("metrics")["metrics"] if one["name"] == "EventsExpired"]
        return sum(value for one in points for value in one["values"])

    wait_until("CloudWatch to be told", lambda: on_cloudwatch() == sum(gone.values()))
    assert len(acknowledge(pipeline, worker)["acknowledged"]) == len(gone)
    wait_until("health to be good again", worker.ready)
    assert acknowledge(pipeline, worker) == {"acknowledged": []}
    worker.stop()
    worker = pipeline.start()  # what is acknowledged stays so, and what expired is not found again
    assert json_of(worker, "/api/report/")["expired"] == sum(gone.values())


def test_what_is_deleted_under_a_running_worker_is_told(pipeline: Pipeline):
    """The process stage is held by a paused route, so its partition is not read on."""
    pipeline.settings |= {"FLOOD_MIN": "10", "FLOOD_WINDOW": "60"}
    worker = pipeline.start()
    pipeline.feed([9] * 60)  # fails validation: the stage pauses
    wait_until("the process stage to pause", lambda: "routes" in (json_of(worker, "/health/ready") or {})["troubles"])
    pipeline.feed(range(10_000, 40_000))  # more than the worker holds
    delete_all_but(pipeline, 5)
    answer = forked.run(["resume", "--url", worker.url], pipeline.environment())
    assert answer.code == 0, answer.err

    def told() -> bool:
        report = json_of(worker, "/api/report/") or {}
        return report.get("expired", 0) > 0 and report["raw"] == 30_060 and not report["inFlight"]

    wait_until("what expired to be told", told, timeout=240)
    report = json_of(worker, "/api/report/")
    assert report["balanced"], report
    assert report["raw"] == sum(report[name] for name in ENDS)


def test_a_partition_that_nears_its_retention_is_told(pipeline: Pipeline):
    worker = pipeline.start()
    pipeline.feed(range(20))
    pipeline.settled(20)
    worker.stop()
    client = administration.admin(pipeline.bootstrap_servers)
    entry = ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, f"{pipeline.prefix}validated", incremental_configs=[entry])
    for changed in client.incremental_alter_configs([resource]).values():
        changed.result(30)
    worker = pipeline.start("--role", "source,process", wait=False)  # nobody reads `validated`
    pipeline.feed(range(20, 60))
    wait_until(
        "health to warn",
        lambda: "retention" in (json_of(worker, "/health/ready") or {}).get("troubles", {}),
        timeout=120,
    )
    rows = json_of(worker, "/api/lag/")["partitions"]
    assert any(row["retentionSeconds"] == 60.0 and row["expiresSeconds"] is not None for row in rows)
    checked = forked.run(["check", "--json"], pipeline.environment())
    [lag] = [one for one in json.loads(checked.out)["checks"] if one["name"] == "lag"]
    assert lag["status"] == "warning", lag
    assert "retention.ms" in lag["fix"]
