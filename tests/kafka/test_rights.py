"""Kafka that gives rights one by one: what `check` says of each that is missing, and how a worker's start ends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from settings import load_settings
from streams.topology import needed_topics
from tests import forked
from tests.forked import Ended
from tests.kafka.broker import free_ports
from tests.kafka.cluster import KafkaCluster
from tests.kafka.pipeline import Pipeline, wait_until

AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


@pytest.fixture(scope="module")
def strict_kafka() -> Iterator[KafkaCluster]:
    """One broker that lets a user do what was allowed to it, and no more."""
    with KafkaCluster(security=True, properties=AUTHORIZER) as cluster:
        yield cluster


@pytest.fixture
def prefix() -> str:
    return f"p{uuid.uuid4().hex[:8]}."


def allow(cluster: KafkaCluster, kind: ResourceType, name: str, *operations: AclOperation) -> None:
    bindings = [
        AclBinding(kind, name, ResourcePatternType.PREFIXED, "User:worker", "*", one, AclPermissionType.ALLOW)
        for one in operations
    ]
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    for done in admin.create_acls(bindings).values():
        done.result(30)


def environment(cluster: KafkaCluster, prefix: str) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.sasl_ssl_bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": cluster.username,
        "KAFKA_SASL_PASSWORD": cluster.password,
        "KAFKA_SSL_CAFILE": str(cluster.ca_file),
        "KAFKA_TOPIC_PREFIX": prefix,
    }


def run(cluster: KafkaCluster, folder: Path, prefix: str, *command: str) -> Ended:
    with Pipeline(cluster.bootstrap_servers, folder, environment(cluster, prefix)) as pipeline:
        return forked.run(command, pipeline.environment(WEB_PORT=str(free_ports(1)[0]), **environment(cluster, prefix)))


def checks(cluster: KafkaCluster, folder: Path, prefix: str) -> dict[str, dict[str, str]]:
    """What `check` says, by name, once the broker answers it in time: a busy machine may take longer."""

    def told() -> dict[str, dict[str, str]] | None:
        ended = run(cluster, folder, prefix, "check", "--json")
        found = {one["name"]: one for one in json.loads(ended.out)["checks"]}
        return found if found["kafka"]["status"] == "ok" else None

    found: dict[str, dict[str, str]] = wait_until("the broker to answer the check", told)
    return found


def make_topics(cluster: KafkaCluster, prefix: str) -> None:
    cluster.create_topics(*needed_topics(load_settings(kafka_topic_prefix=prefix)))


def test_without_the_right_on_the_group_a_start_ends_with_one_line_that_names_both(strict_kafka, tmp_path, prefix):
    make_topics(strict_kafka, prefix)
    allow(strict_kafka, ResourceType.TOPIC, prefix, AclOperation.ALL)
    ended = run(strict_kafka, tmp_path, prefix, "worker")
    lines = [line for line in ended.err.splitlines() if line.startswith("genesys-eventbridge: ")]
    assert ended.code == 2, ended.err
    assert lines == [
        f"genesys-eventbridge: consumer group {prefix}eventbridge: may not be joined "
        f"(allow Read on group {prefix}eventbridge)"
    ]


def test_check_names_the_rights_that_topics_lack(strict_kafka, tmp_path, prefix):
    make_topics(strict_kafka, prefix)
    allow(strict_kafka, ResourceType.GROUP, prefix, AclOperation.READ)
    allow(strict_kafka, ResourceType.TOPIC, prefix, AclOperation.READ, AclOperation.DESCRIBE_CONFIGS)
    told = checks(strict_kafka, tmp_path, prefix)
    assert told[f"consumer group {prefix}eventbridge"]["status"] == "ok"
    assert told["topic rights"]["status"] == "failed"
    assert f"{prefix}raw lacks Write" in told["topic rights"]["detail"]
    assert f"allow Write on topic {prefix}raw" in told["topic rights"]["fix"]


def test_check_says_that_missing_topics_may_not_be_made_and_makes_none(strict_kafka, tmp_path, prefix):
    allow(strict_kafka, ResourceType.GROUP, prefix, AclOperation.READ)
    allow(strict_kafka, ResourceType.TOPIC, prefix, AclOperation.READ, AclOperation.WRITE)
    told = checks(strict_kafka, tmp_path, prefix)
    assert told["topic creation"]["status"] == "failed"
    assert f"{prefix}raw: not allowed" in told["topic creation"]["detail"]
    assert "allow Create" in told["topic creation"]["fix"]


def test_with_every_right_nothing_of_kafka_fails(strict_kafka, tmp_path, prefix):
    allow(strict_kafka, ResourceType.GROUP, prefix, AclOperation.READ)
    allow(strict_kafka, ResourceType.TOPIC, prefix, AclOperation.ALL)
    told = checks(strict_kafka, tmp_path, prefix)
    assert told["topic creation"]["status"] == "ok", told["topic creation"]
    admin = AdminClient({"bootstrap.servers": strict_kafka.bootstrap_servers})
    assert [name for name in admin.list_topics(timeout=30).topics if name.startswith(prefix)] == []
    make_topics(strict_kafka, prefix)
    told = checks(strict_kafka, tmp_path, prefix)
    assert [told[name]["status"] for name in ("topic rights", "topics", "partitions")] == ["ok"] * 3, told
    assert "its certificate ends" in told[f"endpoint {strict_kafka.sasl_ssl_bootstrap}"]["detail"]
