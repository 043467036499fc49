"""What `topics apply` refuses before it asks Kafka anything, and that it says so where no Kafka answers."""

from __future__ import annotations

import json

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from clients.kafka.cluster import Cluster
from streams.commands import topics_apply


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--partitions", "raw"], "is no number of partitions"),
        (["--partitions", "raw=0"], "is no number of partitions"),
        (["--partitions", "raw=many"], "is no number of partitions"),
        (["--partitions", "other=3"], "'other' is none of sources, raw"),
        (["--partitions", "metrics=8"], "the sums of the tables are in one partition"),
        (["--retention", "raw=14"], "is no age"),
        (["--retention", "raw=2026-11-25"], "is no age"),
        (["--retention", "raw=0s"], "keeps nothing"),
        (["--retention", "raw=1d", "--retention", "raw=2d"], "--retention is given twice"),
        (["--partitions", "raw=7", "--partitions", "raw=8"], "--partitions is given twice"),
        ([], "no Kafka broker answers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_is_refused(invoke, arguments, says):
    result = invoke("topics", "apply", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (KafkaConnectionError(), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        (TopicAuthorizationFailedError(), "allow Create on the topic"),
    ],
)
@pytest.mark.parametrize("asked", ["describe", "create_topic"])
def test_brokers_that_fail_between_the_plan_and_the_change_are_one_line(invoke, monkeypatch, asked, error, fix):
    async def fails(*_):
        raise error

    async def known(*_):
        return {}

    async def described(*_):
        return Cluster(1, {})

    monkeypatch.setattr(topics_apply, "known_topics", known)
    monkeypatch.setattr(topics_apply.cluster, "describe", described)
    monkeypatch.setattr(topics_apply.cluster if asked == "describe" else topics_apply, asked, fails)
    result = invoke("topics", "apply", "--yes", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["done"] == 0
    [line] = result.stderr.strip().splitlines()
    assert line.endswith(f"{type(error).__name__} ({fix})")
